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

NETWORKS = 10_000
"""Wide networks that are remembered beside them: addresses beyond those above are counted by theirs."""

WIDE_IPV4, WIDE_IPV6 = 16, 32
"""Bits of a wide network: whoever has one of IPv6's networks of 48 bits has 65 536 addresses, all in one of these."""


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


class Counts:
    """Wrong tokens by network, of so many networks at most."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._by_network: OrderedDict[str, Leaking] = OrderedDict()

    def __len__(self) -> int:
        """Return how many networks are remembered."""
        return len(self._by_network)

    def of(self, network: str, now: float) -> Leaking | None:
        """Return the count of a network, a new one if need be; None where no more can be remembered."""
        while self._by_network:
            oldest = next(iter(self._by_network))
            if self._by_network[oldest].level(now) > 0:
                break
            del self._by_network[oldest]
        if network not in self._by_network and len(self._by_network) >= self._most:
            return None
        return self._by_network.get(network) or Leaking(EVERY_S)

    def add(self, network: str, count: Leaking, now: float) -> None:
        """Add a wrong token to the count of a network, and remember it."""
        count.add(1, now, MOST)
        self._by_network[network] = count
        self._by_network.move_to_end(network)

    def take_back(self, network: str, now: float) -> bool:
        """Take a wrong token of a network back; return whether it is remembered."""
        count = self._by_network.get(network)
        if count is None:
            return False
        count.add(-1, now, MOST)
        if count.level(now) <= 0:
            del self._by_network[network]
        return True


class Brake:
    """Counts wrong tokens; many threads may ask.

    A try is counted before it is looked at, and taken back if the token was right: so tries at the same time do not
    go past it, and a visitor with a token of their own gains no further tries by signing in between. Where more
    addresses guess than can be remembered, further ones are counted by their wide network: it is those of the
    guesser that are used up, and others are heard.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Take the clock, in seconds."""
        self._clock, self._lock = clock, threading.Lock()
        self._overall = Leaking(OVERALL_EVERY_S)
        self._addresses, self._networks = Counts(ADDRESSES), Counts(NETWORKS)

    def __len__(self) -> int:
        """Return how many addresses and wide networks are remembered."""
        return len(self._addresses) + len(self._networks)

    def admit(self, address: str) -> float:
        """Count a try and return 0, or return the seconds after which the address may try again."""
        with self._lock:
            now = self._clock()
            counts, network = self._addresses, network_of(address)
            known = counts.of(network, now)
            if known is None:
                counts, network = self._networks, wide_network_of(address)
                known = counts.of(network, now)
            if known is None:
                return EVERY_S
            most = MOST if self._overall.level(now) + 1 <= OVERALL else SCARCE
            over = known.level(now) + 1 - most
            if over > 0:
                return over * EVERY_S
            counts.add(network, known, now)
            self._overall.add(1, now, OVERALL)
            return 0.0

    def forgive(self, address: str) -> None:
        """Take one try of an address back: its token was right."""
        with self._lock:
            now = self._clock()
            self._overall.add(-1, now, OVERALL)
            if not self._addresses.take_back(network_of(address), now):
                self._networks.take_back(wide_network_of(address), now)


def network_of(address: str) -> str:
    """Return what counts as one address: of IPv6 its network of 64 bits, which one machine can have all of."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address[:64]
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    return str(parsed.ipv4_mapped or ipaddress.IPv6Address(parsed.packed[:8] + bytes(8)))


def wide_network_of(address: str) -> str:
    """Return the wide network that an address lies in, as `10.0.0.0/16`; what is no address is its own."""
    network = network_of(address)
    try:
        bits = WIDE_IPV4 if ipaddress.ip_address(network).version == 4 else WIDE_IPV6
        return str(ipaddress.ip_network(f"{network}/{bits}", strict=False))
    except ValueError:
        return network
