import itertools

import torch

from stylerec.models.next_item.randomness import Stream, derived_seed, generator_of


class TestDerivedSeed:
    def test_differs_by_seed_stream_and_numbers(self):
        places = itertools.product((1, 2), Stream, (0, 1, 500), (0, 1))
        seeds = {derived_seed(seed, stream, *numbers) for seed, stream, *numbers in places}
        assert len(seeds) == 2 * len(Stream) * 3 * 2

    def test_is_always_the_same(self):
        assert derived_seed(7, Stream.ORDER, 3) == derived_seed(7, Stream.ORDER, 3)


class TestGeneratorOf:
    def test_draws_the_same_whatever_was_drawn_elsewhere(self):
        first = torch.rand(3, generator=generator_of(7, Stream.NEGATIVES, 2))
        torch.rand(10)
        again = torch.rand(3, generator=generator_of(7, Stream.NEGATIVES, 2))
        assert torch.equal(first, again)
        assert not torch.equal(first, torch.rand(3, generator=generator_of(7, Stream.ORDER, 2)))
