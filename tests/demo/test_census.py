from __future__ import annotations

import hashlib

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, roc_auc_score

from driftline.demo import census
from driftline.demo.scoring import FEATURES, Scoring


@pytest.fixture(scope="module")
def document() -> dict[str, object]:
    return census.model_of(census.learnt()[0])


def test_all_rows_and_columns_are_there() -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    from driftline.demo.data import read

    for name, n_rows in (("train", 32_561), ("test", 16_281)):
        table = pq.read_table(pa.BufferReader(read(f"census-{name}.parquet")))
        assert (table.num_rows, table.num_columns) == (n_rows, 15)
        assert set(map(str, table.schema.types)) == {"int64", "string"}
        assert sum(column.null_count for column in table.columns) == 0
        assert "?" in table["workclass"].to_pylist()
        assert set(table["income"].to_pylist()) == {census.ABOVE, census.BELOW}


def test_nobody_is_learnt_from_and_held_back() -> None:
    training, validation = census.learnt()
    assert (training.num_rows, validation.num_rows) == (21_707, 10_854)
    assert training.column_names == [*census.INPUTS, census.TRUTH]
    everybody = census.people("train")
    assert validation.slice(0, 1).equals(everybody.slice(1, 1).combine_chunks())


def test_it_is_as_good_as_the_readme_says(document: dict[str, object]) -> None:
    """On people it has not seen; scikit-learn computes accuracy and AUC."""
    scored = census.scored(census.people("test"), Scoring(document))
    truth = np.array(scored["label"].to_pylist()) == census.ABOVE
    predicted = np.array(scored["prediction"].to_pylist()) == census.ABOVE
    assert 0.84 < accuracy_score(truth, predicted) < 0.86
    assert 0.89 < roc_auc_score(truth, scored["probability"].to_pylist()) < 0.91


def test_it_learns_what_scikit_learn_learns(document: dict[str, object]) -> None:
    """Of the same terms, standardised, with the same penalty."""
    from driftline.demo.scoring import TEXTS, terms

    training, validation = census.learnt()
    columns = [{name: table[name].to_pylist() for name in FEATURES} for table in (training, validation)]
    words = {name: sorted(set(columns[0][name])) for name in TEXTS}
    designs = [
        np.column_stack(
            [*terms(one).values(), *(np.array(one[name]) == word for name in TEXTS for word in words[name])]
        ).astype(float)
        for one in columns
    ]
    centre, scale = designs[0].mean(axis=0), designs[0].std(axis=0)
    reference = LogisticRegression(C=1.0, tol=1e-8, solver="newton-cholesky")
    reference.fit((designs[0] - centre) / scale, np.array(training["income"].to_pylist()) == census.ABOVE)
    theirs = reference.predict_proba((designs[1] - centre) / scale)[:, 1]
    ours = Scoring(document).probability(columns[1])
    np.testing.assert_allclose(ours, theirs, atol=1e-5)


def test_it_is_told_neither_sex_nor_race(document: dict[str, object]) -> None:
    assert not {"sex", "race"} & set(FEATURES)
    assert {"sex", "race"} <= set(census.INPUTS)


def test_files_are_the_same_every_time(document: dict[str, object]) -> None:
    validation = census.learnt()[1].slice(0, 500)
    one, two = (census.parquet(census.scored(validation, Scoring(document))) for _ in range(2))
    assert hashlib.sha256(one).digest() == hashlib.sha256(two).digest()
