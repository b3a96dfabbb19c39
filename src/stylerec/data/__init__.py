"""Tables in, prepared arrays out: reading, validation, the synthetic retailer, preparation."""
