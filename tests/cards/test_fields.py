from __future__ import annotations

import copy
import inspect
import json
import sys
from typing import Any

import pytest
from card_content import part_contents
from hypothesis import given
from hypothesis import strategies as st

import driftline.cards.evaluation
import driftline.cards.overview
import driftline.cards.package
import driftline.cards.sections
import driftline.cards.training
from driftline.cards.enums import ModelApprovalStatusEnum, ObjectiveFunctionEnum, RiskRatingEnum
from driftline.cards.errors import CardAttributeError, CardTypeError, CardValueError
from driftline.cards.fields import Listed, Part, plain
from driftline.cards.limits import RULES, Object, keys
from driftline.cards.overview import Environment, ModelOverview
from driftline.cards.package import ModelPackage, ModelPackageModelCard
from driftline.cards.sections import AdditionalInformation, IntendedUses
from driftline.cards.training import (
    HyperParameter,
    ObjectiveFunction,
    TrainingDetails,
    TrainingJobDetails,
    TrainingMetric,
)
from driftline.cards.validation import problems

MODULES = (
    driftline.cards.evaluation,
    driftline.cards.overview,
    driftline.cards.package,
    driftline.cards.sections,
    driftline.cards.training,
)
PARTS = sorted(
    (part for part in Part.__subclasses__() if sys.modules[part.__module__] in MODULES),
    key=lambda c: c.__name__,
)
WRITTEN = [part for part in PARTS if part is not ModelPackageModelCard]


# --- every part ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("part", PARTS)
def test_attributes_are_in_the_order_of_the_constructor(part: type[Part]) -> None:
    assert list(part._fields) == list(inspect.signature(part).parameters)


@pytest.mark.parametrize("part", WRITTEN)
def test_attributes_are_the_keys_that_the_rules_know(part: type[Part]) -> None:
    assert isinstance(RULES[part._path or ""], Object)
    assert [name for name in part._fields if name != "model_metrics"] == list(keys(part._path or ""))


def test_every_object_of_a_card_has_a_part() -> None:
    paths = {part._path for part in WRITTEN}
    job = "training_details.training_job_details"
    twins = {
        f"{job}.training_environment",
        f"{job}.user_provided_training_metrics.*",
        f"{job}.user_provided_hyper_parameters.*",
    }
    assert {p for p, rule in RULES.items() if p and isinstance(rule, Object)} == paths | twins


@pytest.mark.parametrize("part", WRITTEN)
def test_a_part_says_what_it_was_made_of(part: type[Part]) -> None:
    @given(part_contents(part._path or ""))
    def law(content: dict[str, Any]) -> None:
        made = part.from_content(content)
        assert made.to_content() == content
        assert list(made.to_content()) == list(content)  # the order, too
        again = part.from_content(made.to_content())
        assert again == made
        assert repr(again) == repr(made)
        constructed = part(**dict.fromkeys(part._needs) | content)
        assert constructed == made
        assert constructed.to_content().items() >= content.items()

    law()


@pytest.mark.parametrize("part", WRITTEN)
def test_a_part_made_by_its_constructor_comes_back(part: type[Part]) -> None:
    @given(part_contents(part._path or ""))
    def law(content: dict[str, Any]) -> None:
        made = part(**dict.fromkeys(part._needs) | content)
        back = part.from_content(made.to_content())
        assert back == made
        assert back.to_content() == made.to_content()
        order = list(part._fields)
        assert [order.index(name) for name in made.to_content()] == sorted(
            map(order.index, made.to_content())
        )

    law()


@pytest.mark.parametrize("part", PARTS)
def test_unknown_attributes_are_refused(part: type[Part]) -> None:
    with pytest.raises(TypeError):
        part(no_such=1)  # type: ignore[call-arg]
    with pytest.raises(CardTypeError, match="has no field 'no_such'"):
        part.from_content({"no_such": 1})
    made = part.__new__(part)
    with pytest.raises(CardAttributeError, match="has no attribute 'no_such'"):
        made.no_such = 1  # type: ignore[attr-defined]


def test_misspelt_names_are_recognised() -> None:
    with pytest.raises(CardTypeError, match="did you mean 'model_name'"):
        ModelOverview.from_content({"modle_name": "x"})
    overview = ModelOverview()
    with pytest.raises(AttributeError, match="did you mean 'model_owner'"):
        overview.model_owners = "x"  # type: ignore[attr-defined]


@pytest.mark.parametrize("content", [[], "x", None, 1])
def test_a_part_is_made_of_a_mapping(content: Any) -> None:
    with pytest.raises(CardTypeError, match="is made of a dict"):
        ModelOverview.from_content(content)


def test_what_a_document_must_have_is_asked_for() -> None:
    with pytest.raises(CardTypeError, match="needs 'name'"):
        TrainingMetric.from_content({"value": 1})
    with pytest.raises(TypeError):
        TrainingDetails(training_job_details={"training_metrics": [{"name": "x"}]})
    assert HyperParameter.from_content({"name": "x"}).to_content() == {"name": "x"}  # may be left out
    assert ObjectiveFunction.from_content({}).to_content() == {}
    assert Environment.from_content({}).to_content() == {}


# --- read and written -------------------------------------------------------------------------------------------


def test_what_is_made_has_its_empty_lists_and_no_none() -> None:
    assert ModelOverview(model_name="x").to_content() == {"model_name": "x", "model_artifact": []}
    assert IntendedUses().to_content() == {"risk_rating": "Unknown"}


def test_what_is_read_has_what_it_had() -> None:
    assert ModelOverview.from_content({"model_name": "x"}).to_content() == {"model_name": "x"}
    assert IntendedUses.from_content({"purpose_of_model": "p"}).to_content() == {"purpose_of_model": "p"}
    assert IntendedUses.from_content({"purpose_of_model": "p"}).risk_rating is RiskRatingEnum.UNKNOWN


def test_what_is_changed_after_reading_is_written() -> None:
    overview = ModelOverview.from_content({"model_owner": "o", "model_name": "x"})
    assert overview.model_artifact == []
    overview.model_artifact.append("s3://a")
    overview.model_id = "id"
    assert json.dumps(overview.to_content()) == json.dumps(
        {"model_owner": "o", "model_name": "x", "model_id": "id", "model_artifact": ["s3://a"]}
    )
    overview.model_artifact = None
    assert overview.to_content()["model_artifact"] == []
    overview.model_name = None
    assert "model_name" not in overview.to_content()
    uses = IntendedUses.from_content({})
    uses.risk_rating = "Unknown"
    assert uses.to_content() == {"risk_rating": "Unknown"}


def test_null_counts_as_left_out() -> None:
    assert ModelOverview.from_content({"model_name": None, "model_artifact": None}).to_content() == {
        "model_artifact": []
    }


def test_what_is_written_is_nobodys_else() -> None:
    given_details = {"a": "b"}
    information = AdditionalInformation(custom_details=given_details)
    written = information.to_content()
    written["custom_details"]["a"] = "c"
    assert given_details == {"a": "b"}
    read = AdditionalInformation.from_content(information.to_content())
    assert read.custom_details is not None
    read.custom_details["a"] = "d"
    assert information.custom_details == {"a": "b"}
    twin = copy.deepcopy(read)
    assert twin == read
    assert twin.to_content() == read.to_content()


def test_equality_is_by_class_and_values() -> None:
    assert ModelOverview(model_name="x") == ModelOverview(model_name="x")
    assert ModelOverview(model_name="x") != ModelOverview(model_name="y")
    assert ModelOverview() != AdditionalInformation()
    assert ModelPackage(model_metrics={"Bias": {}}) == ModelPackage()
    with pytest.raises(TypeError):
        hash(ModelOverview())


def test_shown_shortly() -> None:
    uses = IntendedUses(purpose_of_model="p", risk_rating="Low")
    assert repr(uses) == "IntendedUses(purpose_of_model='p', risk_rating='Low')"


def test_plain_leaves_what_it_does_not_know() -> None:
    strange = object()
    given_value = {RiskRatingEnum.LOW: (Environment(["i"]), Listed(str, None, ["a"]), strange)}
    assert plain(given_value) == {"Low": [{"container_image": ["i"]}, ["a"], strange]}
    assert type(next(iter(plain(given_value)))) is str


# --- Chosen -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [RiskRatingEnum.LOW, "Low"])
def test_an_enum_takes_a_member_or_its_text(value: Any) -> None:
    uses = IntendedUses(risk_rating=value)
    assert uses.risk_rating is RiskRatingEnum.LOW
    assert uses.risk_rating == "Low"
    assert json.dumps(uses.to_content()) == '{"risk_rating": "Low"}'


def test_an_enum_takes_none() -> None:
    assert IntendedUses(risk_rating=None).to_content() == {}


@pytest.mark.parametrize("value", ["low", "", 1, ["Low"], {"a": 1}])
def test_an_enum_names_its_texts(value: Any) -> None:
    with pytest.raises(
        ValueError, match=r"IntendedUses.risk_rating: expected one of High, Low, Medium, Unknown, found "
    ):
        IntendedUses(risk_rating=value)


def test_an_enum_names_the_nearest_text() -> None:
    with pytest.raises(CardValueError, match=r"found 'low'; did you mean 'Low'\?"):
        IntendedUses(risk_rating="low")


def test_an_enum_names_its_members_to_a_foreign_one() -> None:
    with pytest.raises(
        CardValueError,
        match=r"one of ObjectiveFunctionEnum.MAXIMIZE, ObjectiveFunctionEnum.MINIMIZE, found RiskRatingEnum.LOW",
    ):
        driftline.cards.training.Function(function=RiskRatingEnum.LOW)
    package = ModelPackage(model_approval_status="Approved")
    assert package.model_approval_status is ModelApprovalStatusEnum.APPROVED
    assert driftline.cards.training.Function("Minimize").function is ObjectiveFunctionEnum.MINIMIZE


# --- One --------------------------------------------------------------------------------------------------------


def test_an_object_takes_an_instance_or_a_dict() -> None:
    environment = Environment(["i"])
    assert ModelOverview(inference_environment=environment).inference_environment is environment
    made = ModelOverview(inference_environment={"container_image": ["i"]})
    assert made.inference_environment == environment
    made.inference_environment = None
    assert made.to_content() == {"model_artifact": []}


@pytest.mark.parametrize("value", [[], "x", 1, HyperParameter("a", "b")])
def test_an_object_takes_no_other_class(value: Any) -> None:
    with pytest.raises(
        CardValueError, match=r"ModelOverview.inference_environment: expected an Environment or a dict"
    ):
        ModelOverview(inference_environment=value)


def test_an_object_takes_no_dict_with_unknown_keys() -> None:
    with pytest.raises(CardTypeError, match="Environment has no field 'image'"):
        ModelOverview(inference_environment={"image": ["i"]})


# --- Many -------------------------------------------------------------------------------------------------------


def test_a_list_takes_a_list_or_none() -> None:
    assert ModelOverview(model_artifact=None).model_artifact == []
    assert ModelOverview(model_artifact=["a"]).model_artifact == ["a"]
    other = ModelOverview(model_artifact=["a"])
    copied = ModelOverview(model_artifact=other.model_artifact)  # type: ignore[arg-type]
    copied.model_artifact.append("b")
    assert other.model_artifact == ["a"]


@pytest.mark.parametrize("value", [("a",), "a", {"a": 1}, 1, {"a"}])
def test_a_list_takes_no_other_class(value: Any) -> None:
    with pytest.raises(ValueError, match=r"ModelOverview.model_artifact: expected a list, found a"):
        ModelOverview(model_artifact=value)


def test_a_list_keeps_its_size() -> None:
    assert len(ModelOverview(model_artifact=["a"] * 15).model_artifact) == 15
    with pytest.raises(ValueError, match="has room for 15 items, not for 16"):
        ModelOverview(model_artifact=["a"] * 16)
    artifacts = ModelOverview(model_artifact=["a"] * 15).model_artifact
    for add in (artifacts.append, lambda x: artifacts.insert(0, x), lambda x: artifacts.extend([x])):
        with pytest.raises(CardValueError):
            add("b")
    artifacts[0] = "b"
    assert len(artifacts) == 15
    with pytest.raises(CardValueError):
        artifacts[0:1] = ["c", "d"]
    assert artifacts[:2] == ["b", "a"]


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("training_datasets", 15),
        ("training_metrics", 50),
        ("user_provided_training_metrics", 50),
        ("hyper_parameters", 100),
        ("user_provided_hyper_parameters", 100),
    ],
)
def test_lists_of_a_training_job(name: str, size: int) -> None:
    item: Any = "d" if name == "training_datasets" else TrainingMetric("m", 1)
    item = HyperParameter("h", "1") if "hyper" in name else item
    assert len(getattr(TrainingJobDetails(**{name: [item] * size}), name)) == size
    with pytest.raises(ValueError, match=f"room for {size} items"):
        TrainingJobDetails(**{name: [item] * (size + 1)})


def test_a_list_takes_items_of_its_class_only() -> None:
    with pytest.raises(TypeError, match="expected items of class str, found an int"):
        ModelOverview(model_artifact=[1])  # type: ignore[list-item]
    with pytest.raises(TypeError):
        ModelOverview(model_artifact=[{"a": 1}])
    with pytest.raises(TypeError):
        ModelOverview().model_artifact.append(1)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        TrainingJobDetails(hyper_parameters=["x"])  # type: ignore[list-item]


def test_dicts_become_items_where_the_first_is_one() -> None:
    job = TrainingJobDetails(hyper_parameters=[{"name": "a", "value": "1"}, {"name": "b", "value": "2"}])
    assert [type(h) for h in job.hyper_parameters] == [HyperParameter, HyperParameter]
    with pytest.raises(TypeError):
        TrainingJobDetails(hyper_parameters=[HyperParameter("a", "1"), {"name": "b", "value": "2"}])  # type: ignore[list-item]


# --- Listed -----------------------------------------------------------------------------------------------------

OPERATIONS = st.lists(
    st.one_of(
        st.tuples(st.just("append"), st.integers(0, 9)),
        st.tuples(st.just("insert"), st.integers(-3, 12), st.integers(0, 9)),
        st.tuples(st.just("pop")),
        st.tuples(st.just("delete"), st.integers(-3, 12)),
        st.tuples(st.just("set"), st.integers(-3, 12), st.integers(0, 9)),
        st.tuples(st.just("set_slice"), st.integers(0, 5), st.integers(0, 5), st.lists(st.integers(0, 9), max_size=4)),
        st.tuples(st.just("reverse")),
    ),
    max_size=20,
)  # fmt: skip


def done(values: Any, operation: tuple[Any, ...]) -> str:
    name, *given_values = operation
    try:
        match name:
            case "append" | "insert" | "pop" | "reverse":
                getattr(values, name)(*given_values)
            case "delete":
                del values[given_values[0]]
            case "set":
                values[given_values[0]] = given_values[1]
            case "set_slice":
                values[given_values[0] : given_values[1]] = given_values[2]
    except IndexError:
        return "IndexError"
    return ""


@given(OPERATIONS)
def test_a_listed_is_a_list_that_keeps_its_size(operations: list[tuple[Any, ...]]) -> None:
    mine, theirs = Listed(int, 8), list[int]()
    for operation in operations:
        before = list(theirs)
        ended = done(theirs, operation)
        if len(theirs) > 8:
            theirs = before
            with pytest.raises(CardValueError):
                done(mine, operation)
        else:
            assert done(mine, operation) == ended
        assert mine == theirs
        assert list(mine) == theirs
        assert mine[1:3] == theirs[1:3]
        assert len(mine) == len(theirs)
        assert repr(mine) == repr(theirs)


def test_listed_equality() -> None:
    assert Listed(str, 2, ["a"]) == Listed(str, None, ["a"])
    assert Listed(str, 2, ["a"]) != ["b"]
    assert Listed(str, 2) != ()
    with pytest.raises(TypeError):
        hash(Listed(str))


def test_items_by_an_attribute() -> None:
    first, second, nameless = HyperParameter("a", "1"), HyperParameter("a", "2"), HyperParameter("", "3")
    settings = TrainingJobDetails(hyper_parameters=[first, second, nameless]).hyper_parameters
    assert settings.to_map("name") == {"a": second}
    assert settings.to_map("value") == {"1": first, "2": second, "3": nameless}
    assert settings.to_map("no_such") == {}


# --- Unwritten and Plain ----------------------------------------------------------------------------------------


def test_what_is_unwritten_stays_in_memory() -> None:
    package = ModelPackage(model_package_name="p", model_metrics={"Bias": {}})
    assert package.model_metrics == {"Bias": {}}
    assert package.to_content() == {"model_package_name": "p", "source_algorithms": []}
    with pytest.raises(ValueError, match="expected a dict, found a list"):
        ModelPackage(model_metrics=[])  # type: ignore[arg-type]
    with pytest.raises(CardTypeError):
        ModelPackage.from_content({"model_metrics": {}})


def test_a_plain_attribute_takes_anything_and_validation_tells() -> None:
    overview = ModelOverview(model_name=5, model_version="2")  # type: ignore[arg-type]
    assert overview.model_name == 5  # type: ignore[comparison-overlap]
    assert [p.path for p in problems({"model_overview": overview.to_content()})] == [
        "model_overview.model_name",
        "model_overview.model_version",
    ]
