"""What people write about a model: its intended uses, its business, and whatever else should be known."""

from __future__ import annotations

from typing import Any

from driftline.cards.enums import RiskRatingEnum
from driftline.cards.fields import Chosen, Part, Plain

__all__ = ["AdditionalInformation", "BusinessDetails", "IntendedUses"]


class IntendedUses(Part, path="intended_uses"):
    """What the model is for, and how much depends on it.

    Parameters
    ----------
    purpose_of_model, intended_uses : str, optional
        Also what it is not for.
    factors_affecting_model_efficiency : str, optional
    risk_rating : RiskRatingEnum or str, default RiskRatingEnum.UNKNOWN
        High, Medium, Low or Unknown.
    explanations_for_risk_rating : str, optional
    """

    purpose_of_model = Plain[str | None]()
    intended_uses = Plain[str | None]()
    factors_affecting_model_efficiency = Plain[str | None]()
    risk_rating = Chosen(RiskRatingEnum)
    explanations_for_risk_rating = Plain[str | None]()

    def __init__(
        self,
        purpose_of_model: str | None = None,
        intended_uses: str | None = None,
        factors_affecting_model_efficiency: str | None = None,
        risk_rating: RiskRatingEnum | str | None = RiskRatingEnum.UNKNOWN,
        explanations_for_risk_rating: str | None = None,
    ) -> None:
        self.purpose_of_model = purpose_of_model
        self.intended_uses = intended_uses
        self.factors_affecting_model_efficiency = factors_affecting_model_efficiency
        self.risk_rating = risk_rating
        self.explanations_for_risk_rating = explanations_for_risk_rating


class BusinessDetails(Part, path="business_details"):
    """Which business the model serves.

    Parameters
    ----------
    business_problem, business_stakeholders, line_of_business : str, optional
    """

    business_problem = Plain[str | None]()
    business_stakeholders = Plain[str | None]()
    line_of_business = Plain[str | None]()

    def __init__(
        self,
        business_problem: str | None = None,
        business_stakeholders: str | None = None,
        line_of_business: str | None = None,
    ) -> None:
        self.business_problem = business_problem
        self.business_stakeholders = business_stakeholders
        self.line_of_business = line_of_business


class AdditionalInformation(Part, path="additional_information"):
    """Whatever else should be known.

    Parameters
    ----------
    ethical_considerations, caveats_and_recommendations : str, optional
    custom_details : dict of str to str, optional
        Any keys; spaces are allowed.
    """

    ethical_considerations = Plain[str | None]()
    caveats_and_recommendations = Plain[str | None]()
    custom_details = Plain[dict[str, Any] | None]()

    def __init__(
        self,
        ethical_considerations: str | None = None,
        caveats_and_recommendations: str | None = None,
        custom_details: dict[str, Any] | None = None,
    ) -> None:
        self.ethical_considerations = ethical_considerations
        self.caveats_and_recommendations = caveats_and_recommendations
        self.custom_details = custom_details
