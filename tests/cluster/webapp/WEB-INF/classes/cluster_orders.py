"""A module that the application imports only when an order is made."""

import enum
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal


class State(enum.Enum):
    OPEN = "open"
    PAID = "paid"


@dataclass(frozen=True)
class Line:
    article: str
    price: Decimal


@dataclass
class Order:
    """Values of the application's own classes in each other, as keys and as members of an enum."""

    made: datetime
    state: State = State.OPEN
    lines: dict[Line, int] = field(default_factory=dict)

    def total(self) -> Decimal:
        return sum((line.price * count for line, count in self.lines.items()), Decimal(0))
