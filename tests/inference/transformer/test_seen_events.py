from inference.transformer.interactions import Interaction
from inference.transformer.seen_events import SeenEvents
from stylerec.schema.events import EventType


def event(event_id, customer="c1"):
    return Interaction(customer, "i1", EventType.VIEW, 10, event_id)


class TestSeenEvents:
    def test_an_id_is_first_until_it_is_remembered(self):
        seen = SeenEvents()
        assert seen.are_first([event("a")]) == [True]
        seen.remember([event("a")])
        assert seen.are_first([event("a"), event("b")]) == [False, True]

    def test_an_id_twice_in_one_call_is_first_once(self):
        assert SeenEvents().are_first([event("a"), event("b"), event("a")]) == [True, True, False]

    def test_ids_belong_to_a_customer(self):
        seen = SeenEvents()
        seen.remember([event("a", "c1")])
        assert seen.are_first([event("a", "c2")]) == [True]

    def test_events_without_an_id_are_always_first(self):
        seen = SeenEvents()
        seen.remember([event(None)])
        assert seen.are_first([event(None), event(None)]) == [True, True]

    def test_forgets_the_oldest(self):
        seen = SeenEvents(limit=2)
        seen.remember([event("a"), event("b"), event("c")])
        assert seen.are_first([event("a"), event("b"), event("c")]) == [True, False, False]
