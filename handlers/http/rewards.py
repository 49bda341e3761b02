"""What points buy."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from chalice.app import Blueprint

from handlers.http.endpoint import Call, Nothing, Reply, endpoint
from handlers.http.schemas.rewards import RewardDetail, RewardList, Rewards
from handlers.http.texts.catalogue import text
from models.base.clock import business_day
from models.rewards.entities import EntitlementClass, Merchant, Missing, Offer

STATION = "station:"

blueprint = Blueprint(__name__)


@endpoint(blueprint, "GET", "/v1/rewards", query=Rewards, answer=RewardList)
def list_rewards(call: Call[Nothing, Rewards]) -> Reply:
    """List the rewards by class, cheapest first, with what the member still misses."""
    page = call.services.catalogue.page(
        call.actor, limit=call.query.limit, cursor=call.query.cursor
    )
    return {
        "items": [_reward(offer, call.language) for offer in page.items],
        "next_cursor": page.next_cursor,
    }


@endpoint(blueprint, "GET", "/v1/rewards/{reward_id}", answer=RewardDetail, errors=(404,))
def get_reward(call: Call[Nothing, Nothing]) -> Reply:
    """Show a reward, and where it is handed over."""
    catalogue = call.services.catalogue
    offer = catalogue.offer(call.actor, call.params["reward_id"])
    places = offer.reward.fulfillers
    return {
        "reward": _reward(offer, call.language),
        "merchants": [_merchant(merchant) for merchant in catalogue.fulfillers(offer.reward)],
        "stations": [place.removeprefix(STATION) for place in places if place.startswith(STATION)],
    }


def _reward(offer: Offer, language: str) -> dict[str, Any]:
    reward = offer.reward
    return {
        "id": reward.reward_id,
        "county": reward.county,
        "entitlement": _entitlement(offer.entitlement, language),
        "name": reward.name.text(language),
        "terms": reward.terms.text(language),
        "price_points": reward.price,
        "valid_days": reward.valid_days,
        "stock_left": offer.stock_left,
        "eligible": not offer.missing,
        "missing": [_step(step, offer, language) for step in offer.missing],
        "missing_points": offer.missing_points,
        "status": reward.state.value,
        "needs_approval": reward.needs_approval,
        "eligibility": {
            "standing": reward.eligibility.standing.value,
            "occupations": sorted(reward.eligibility.occupations),
            "member_days": reward.eligibility.member_days,
        },
        "limit": asdict(reward.limit) if reward.limit else None,
        "again_at": offer.again_at,
        "price_locked_until": reward.price_locked_until,
        "synthetic": reward.synthetic,
    }


def _entitlement(entitlement: EntitlementClass, language: str) -> dict[str, str]:
    return {"id": entitlement.class_id, "name": entitlement.name.text(language)}


def _step(step: Missing, offer: Offer, language: str) -> dict[str, str]:
    details = {
        "points": offer.missing_points,
        "days": offer.missing_days,
        "day": business_day(offer.again_at) if offer.again_at else "",
    }
    return {"code": step.value, "text": text(f"reward.missing.{step.value}", language, details)}


def _merchant(merchant: Merchant) -> dict[str, Any]:
    return {
        "id": merchant.merchant_id,
        "name": merchant.name,
        "address": merchant.address,
        "lon": merchant.lon,
        "lat": merchant.lat,
    }
