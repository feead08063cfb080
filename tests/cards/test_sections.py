from __future__ import annotations

from driftline.cards.sections import AdditionalInformation, BusinessDetails, IntendedUses


def test_intended_uses_are_of_unknown_risk_unless_said() -> None:
    assert IntendedUses("why", "what", "but", "High", "because").to_content() == {
        "purpose_of_model": "why",
        "intended_uses": "what",
        "factors_affecting_model_efficiency": "but",
        "risk_rating": "High",
        "explanations_for_risk_rating": "because",
    }
    assert IntendedUses().risk_rating == "Unknown"


def test_business_details() -> None:
    assert BusinessDetails("p", "s", "l").to_content() == {
        "business_problem": "p",
        "business_stakeholders": "s",
        "line_of_business": "l",
    }
    assert BusinessDetails().to_content() == {}


def test_custom_details_may_have_spaces() -> None:
    information = AdditionalInformation("e", "c", {"custom details1": "details value"})
    assert information.to_content() == {
        "ethical_considerations": "e",
        "caveats_and_recommendations": "c",
        "custom_details": {"custom details1": "details value"},
    }
