"""Credits: never more under way than there is room for, and never none while there is room."""

from __future__ import annotations

import random

import pytest
from inkstream._stream.converter import Item
from inkstream._stream.prefetch_queue import PrefetchQueue


def item() -> Item[int]:
    return Item(0, {}, 0, 0)


@pytest.mark.parametrize("most", [1, 2, 3, 8])
def test_what_is_granted_has_room(most: int) -> None:
    chance = random.Random(most)
    hand: PrefetchQueue[int] = PrefetchQueue(most)
    hand.wanted = True
    under_way = 0
    for _ in range(2000):
        under_way += hand.credits()
        assert under_way + len(hand) <= most
        assert under_way or len(hand)  # else both sides would wait
        if under_way and (not hand or chance.random() < 0.5):
            hand.add_granted(item(), 1000)
            under_way -= 1
        else:
            hand.items.popleft()


def test_nothing_is_granted_before_it_is_wanted() -> None:
    hand: PrefetchQueue[int] = PrefetchQueue(8)
    assert hand.credits() == 0
    hand.wanted = True
    assert hand.credits() == 8


def test_credits_do_not_come_in_drops() -> None:
    hand: PrefetchQueue[int] = PrefetchQueue(8)
    hand.wanted = True
    hand.credits()
    granted = []
    for _ in range(8):
        hand.add_granted(item(), 1000)
        hand.items.popleft()
        granted.append(hand.credits())
    assert granted == [0, 0, 0, 4, 0, 0, 0, 4]


def test_large_batches_and_a_servers_window_bound_it() -> None:
    hand: PrefetchQueue[int] = PrefetchQueue(8)
    hand.bound(0)
    assert hand.most == 8
    hand.bound(5)
    assert hand.most == 5
    hand.add_granted(item(), hand.most_bytes // 3)
    assert hand.most == 3
    hand.add_granted(item(), 10 * hand.most_bytes)
    assert hand.most == 2


def test_the_next_reader_is_granted_anew() -> None:
    hand: PrefetchQueue[int] = PrefetchQueue(4)
    hand.wanted = True
    assert hand.credits() == 4
    hand.forget_granted()
    assert hand.credits() == 4
