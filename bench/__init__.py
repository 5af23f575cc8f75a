"""What a sale costs: `python -m bench` measures every candidate in one run and prints them beside their targets."""
