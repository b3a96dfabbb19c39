"""How likely each position of a page is looked at, estimated from impressions and clicks."""
