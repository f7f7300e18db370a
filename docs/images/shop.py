"""What the pictures of the web page show: a shop with orders that succeed, fail, wait and run."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import yaml

from workers import Registry, Worker
from workers.executions import start_execution
from workers.machines import ensure_state_machine
from workers.stepfunctions.account import Account

ROLE = "arn:aws:iam::123456789012:role/states"
FULFIL = """
start_at: Validate
timeout_seconds: 900
states:
  Validate:
    type: task
    resource: validate
    catch: [{error_equals: InvalidOrder, result_path: $.problem, next: Tell customer}]
    next: Worth a look?
  Worth a look?:
    type: choice
    choices: [{condition: [">=", $.total, 1000], next: Check fraud}]
    default: Prepare
  Check fraud:
    type: task
    resource: check_fraud
    retry: [{error_equals: [ScoreUnavailable], interval_seconds: 1, max_attempts: 4}]
    next: Prepare
  Prepare:
    type: parallel
    result_path: $.prepared
    branches:
      - start_at: Charge card
        states:
          Charge card: {type: task, resource: charge_card, end: true}
      - start_at: Pick items
        states:
          Pick items:
            type: map
            items_path: $.items
            max_concurrency: 4
            item_processor:
              start_at: Reserve
              states:
                Reserve: {type: task, resource: reserve, next: Pack}
                Pack: {type: pass, end: true}
            end: true
    catch: [{error_equals: [CardDeclined], result_path: $.problem, next: Tell customer}]
    next: Wait for courier
  Wait for courier: {type: wait, seconds: 2, next: Ship}
  Ship: {type: task, resource: ship, next: Done}
  Tell customer: {type: task, resource: tell_customer, next: Given up}
  Given up: {type: fail, error: OrderRejected, cause: The customer was told why}
  Done: {type: succeed}
"""

registry = Registry()
scores: dict[str, int] = {}


class InvalidOrder(Exception):  # noqa: N818 - machines catch it by this name
    """The order cannot be fulfilled."""


class ScoreUnavailable(Exception):  # noqa: N818
    """The score of a customer is not known now."""


class CardDeclined(Exception):  # noqa: N818
    """The bank refuses."""


@registry.activity("validate")
async def validate(event: dict[str, Any], /) -> dict[str, Any]:
    """Adds the total of an order."""
    await anyio.sleep(0.2)
    if not event["items"]:
        raise InvalidOrder("an order without items")
    return {**event, "total": sum(item["price"] * item["count"] for item in event["items"])}


@registry.activity("check_fraud")
async def check_fraud(event: dict[str, Any], /) -> dict[str, Any]:
    """Fails twice for each customer."""
    customer = event["customer"]
    scores[customer] = scores.get(customer, 0) + 1
    await anyio.sleep(0.3)
    if scores[customer] < 3:
        raise ScoreUnavailable(f"no score for customer {customer} yet")
    return event


@registry.activity("charge_card")
async def charge_card(total: float, customer: str) -> dict[str, Any]:
    """Refuses what some customers want to pay."""
    await anyio.sleep(0.6)
    if customer == "c-1002":
        raise CardDeclined("the bank declines: insufficient funds")
    return {"charged": total, "currency": "EUR"}


@registry.activity("reserve")
async def reserve(sku: str, count: int) -> dict[str, Any]:
    """Knows one article that nobody has."""
    await anyio.sleep(0.2 + random.Random(sku).random())  # noqa: S311 - so that bars differ
    if sku == "desk-lamp":
        stock = {"chair": 4, "table": 1}
        return {"sku": sku, "left": stock[sku] - count}
    if sku == "slow":
        await anyio.sleep(600)
    return {"sku": sku, "reserved": count}


@registry.activity("ship")
async def ship(order: str) -> dict[str, Any]:
    """Gives a tracking number."""
    await anyio.sleep(0.3)
    return {"order": order, "tracking": "JD014600006281"}


@registry.activity("tell_customer")
async def tell_customer(event: dict[str, Any], /) -> dict[str, Any]:
    """Writes a mail."""
    await anyio.sleep(0.2)
    return event


def order(number: int, customer: str, *skus: str) -> dict[str, Any]:
    """An order of some articles."""
    items = [{"sku": sku, "count": index % 3 + 1, "price": 149.5} for index, sku in enumerate(skus)]
    return {"order": f"2026-{number}", "customer": customer, "items": items}


ORDERS = {
    "order-2041": order(2041, "c-1001", "chair", "table", "bookshelf", "rug", "mirror"),
    "order-2042": order(2042, "c-1003", "chair", "desk-lamp", "table", "rug"),
    "order-2043": order(2043, "c-1002", "sofa", "table"),
    "order-2044": order(2044, "c-1004", "chair"),
    "order-2045": order(2045, "c-1005"),
    "order-2046": order(2046, "c-1006", "chair", "slow", "table", "rug", "mirror", "bookshelf"),
}
RUNS_ON = "order-2046"


@asynccontextmanager
async def open_shop(account: Account) -> AsyncIterator[dict[str, str]]:
    """The ARNs of the executions by their names, when all have ended but one, which runs while the context is open."""
    definition = yaml.safe_load(FULFIL)
    await ensure_state_machine("fulfil-order", definition, role=ROLE, account=account)
    async with Worker(registry, account.settings.model_copy(update={"grace": 0.0})):
        arns = {}
        for name, value in ORDERS.items():
            started = await start_execution("fulfil-order", value, name=name, account=account)
            arns[name] = started.arn
        for name, arn in arns.items():
            while name != RUNS_ON:
                found = await account.call("DescribeExecution", executionArn=arn)
                if found["status"] != "RUNNING":
                    break
                await asyncio.sleep(0.2)
        yield arns
