"""The brake on guessing tokens: how soon the next try is heard, by address and overall."""

from __future__ import annotations

import ipaddress
import threading
import time
from collections import OrderedDict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

MOST, EVERY_S = 10, 60.0
"""Wrong tokens that an address may give at once, and seconds after which it may give one more."""

OVERALL, OVERALL_EVERY_S = 100, 1.0
"""Wrong tokens that all addresses may give at once, and seconds after which they may give one more."""

SCARCE = 3
"""Wrong tokens of an address while those of all are used up."""

ADDRESSES = 10_000
"""Addresses that are remembered; each is forgotten when its wrong tokens are."""


class Leaking:
    """A count that becomes less by one every so often."""

    def __init__(self, every_s: float) -> None:
        self._every_s, self._level, self._at = every_s, 0.0, 0.0

    def level(self, now: float) -> float:
        """Return what is left of it, now in seconds."""
        return max(0.0, self._level - (now - self._at) / self._every_s)

    def add(self, amount: int, now: float, most: float) -> None:
        """Add to it, up to `most`."""
        self._level, self._at = min(most, max(0.0, self.level(now) + amount)), now


class Brake:
    """Counts wrong tokens; many threads may ask.

    A try is counted before it is looked at, and taken back if the token was right: so tries at the same time do not
    go past it, and a visitor with a token of their own gains no further tries by signing in between.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Take the clock, in seconds."""
        self._clock, self._lock = clock, threading.Lock()
        self._overall = Leaking(OVERALL_EVERY_S)
        self._by_address: OrderedDict[str, Leaking] = OrderedDict()

    def __len__(self) -> int:
        """Return how many addresses are remembered."""
        return len(self._by_address)

    def admit(self, address: str) -> float:
        """Count a try and return 0, or return the seconds after which the address may try again."""
        network = network_of(address)
        with self._lock:
            now = self._clock()
            known = self._known(network, now)
            if known is None:
                return EVERY_S
            most = MOST if self._overall.level(now) + 1 <= OVERALL else SCARCE
            over = known.level(now) + 1 - most
            if over > 0:
                return over * EVERY_S
            known.add(1, now, MOST)
            self._overall.add(1, now, OVERALL)
            self._by_address[network] = known
            self._by_address.move_to_end(network)
            return 0.0

    def forgive(self, address: str) -> None:
        """Take one try of an address back: its token was right."""
        network = network_of(address)
        with self._lock:
            now = self._clock()
            self._overall.add(-1, now, OVERALL)
            known = self._by_address.get(network)
            if known is not None:
                known.add(-1, now, MOST)
                if known.level(now) <= 0:
                    del self._by_address[network]

    def _known(self, network: str, now: float) -> Leaking | None:
        """Return the count of an address, a new one if need be; None where no more can be remembered."""
        while self._by_address:
            oldest = next(iter(self._by_address))
            if self._by_address[oldest].level(now) > 0:
                break
            del self._by_address[oldest]
        if network not in self._by_address and len(self._by_address) >= ADDRESSES:
            return None
        return self._by_address.get(network) or Leaking(EVERY_S)


def network_of(address: str) -> str:
    """Return what counts as one address: of IPv6 its network of 64 bits, which one machine can have all of."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address[:64]
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    return str(parsed.ipv4_mapped or ipaddress.IPv6Address(parsed.packed[:8] + bytes(8)))
