"""Pure serving logic: requests, touchpoint contract, candidate rules, fallback ladder, answers."""
