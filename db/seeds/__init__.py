"""Sample data, by profile: tables that people write (`demo/*.toml`), and the rows made of them."""
