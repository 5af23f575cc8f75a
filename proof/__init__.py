"""What proves the promise: nothing sold twice, nothing acknowledged lost, the books add up.

`books` opens articles to fight over; `memory` keeps what was acknowledged and holds it against the rows; `asking` sends
requests; the races, the fault scripts, the stateful test and `tally prove` (`proof.run`) stand on these.
"""
