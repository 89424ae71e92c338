"""Guessing is slow, and hinders nobody else."""

from __future__ import annotations

import pytest

from analysis.service.visitors import brake
from analysis.service.visitors.brake import (
    ADDRESSES,
    EVERY_S,
    MOST,
    NETWORKS,
    OVERALL,
    SCARCE,
    Brake,
    network_of,
    wide_network_of,
)


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_an_address_has_some_tries_and_then_one_every_so_often() -> None:
    clock = Clock()
    made = Brake(clock)
    assert [made.admit("10.0.0.1") for _ in range(MOST)] == [0.0] * MOST
    wait = made.admit("10.0.0.1")
    assert 0 < wait <= EVERY_S
    assert made.admit("10.0.0.2") == 0, "another address has its own"
    clock.now += wait
    assert made.admit("10.0.0.1") == 0
    assert made.admit("10.0.0.1") > 0
    clock.now += 86_400
    tries = sum(made.admit("10.0.0.1") == 0 for _ in range(3 * MOST))
    assert tries == MOST


def test_a_day_of_guessing_is_some_thousand_tries() -> None:
    clock = Clock()
    made = Brake(clock)
    heard = 0
    for _ in range(24 * 360):
        clock.now += 10
        heard += sum(made.admit("10.0.0.1") == 0 for _ in range(3))
    assert heard <= 86_400 / EVERY_S + MOST


def test_a_right_token_costs_nothing_and_gives_no_further_tries() -> None:
    made = Brake(Clock())
    for _ in range(10 * MOST):
        assert made.admit("10.0.0.1") == 0
        made.forgive("10.0.0.1")
    assert len(made) == 0
    for _ in range(MOST - 1):
        made.admit("10.0.0.1")
    assert made.admit("10.0.0.1") == 0
    made.forgive("10.0.0.1")
    assert [made.admit("10.0.0.1") > 0 for _ in range(2)] == [False, True]


def test_many_addresses_together_are_slowed_and_lock_nobody_out() -> None:
    made = Brake(Clock())
    guesses = 0
    for number in range(1000):
        guesses += sum(made.admit(f"10.0.{number // 250}.{number % 250}") == 0 for _ in range(MOST))
    assert guesses <= OVERALL + 1000 * SCARCE
    assert made.admit("192.168.0.1") == 0


def test_what_is_remembered_is_bounded_and_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (ADDRESSES, NETWORKS) == (10_000, 10_000)
    monkeypatch.setattr(brake, "ADDRESSES", 50)
    monkeypatch.setattr(brake, "NETWORKS", 5)
    clock = Clock()
    made = Brake(clock)
    for number in range(100):
        made.admit(f"10.{number}.0.1")
    assert len(made) == 50 + 5
    assert made.admit("192.0.2.7") > 0, "no more can be remembered"
    clock.now += EVERY_S * MOST
    assert made.admit("10.1.0.1") == 0
    assert len(made) <= 1 + 5


def test_whoever_has_many_addresses_locks_nobody_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(brake, "ADDRESSES", 50)
    made = Brake(Clock())
    heard = sum(made.admit(f"2001:db8:0:{number:x}::1") == 0 for number in range(1000))
    assert heard <= 50 + MOST, "beyond what is remembered their network is counted as one"
    for stranger in ("192.0.2.7", "2001:db9::1"):
        for _ in range(5):
            assert made.admit(stranger) == 0
            made.forgive(stranger)


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("10.0.0.1", "10.0.0.1"),
        ("::ffff:10.0.0.1", "10.0.0.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:db8:1:2::9", "2001:db8:1:2::"),
        ("nonsense", "nonsense"),
    ],
)
def test_of_ipv6_a_network_is_one_address(address: str, network: str) -> None:
    assert network_of(address) == network


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("10.0.7.1", "10.0.0.0/16"),
        ("::ffff:10.0.7.1", "10.0.0.0/16"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8::/32"),
        ("nonsense", "nonsense"),
    ],
)
def test_a_wide_network_has_16_bits_or_32(address: str, network: str) -> None:
    assert wide_network_of(address) == network
