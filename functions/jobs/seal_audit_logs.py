"""Every minute: chain the new rows of the audit log, each by the hash of the one before it.

From then on a row cannot be changed, removed, added or moved without every later link being another; `tally audit
verify` names the first that is. Rows are chained by their number, without a gap: where one is missing the chain stops,
and the run says so (`gap`). Of two runs at once one finds the last link as it read it; the other reads again.
"""

from api.call import dumps
from api.job import ROWS_MAX, JobCall, job
from api.trail import link_hash
from db.sql import Sql, guard

# The last link, and the rows after it; `:rows` bounds the batch.
LAST = Sql("SELECT sequence, hash FROM audit_links ORDER BY sequence DESC LIMIT 1", "audit_links_sequence_once")
UNSEALED = Sql(
    """
    SELECT id, sequence, content_hash FROM audit_logs
    WHERE sequence > coalesce((SELECT max(sequence) FROM audit_links), 0) ORDER BY sequence LIMIT :rows
    """,
    "audit_logs_sequence_once",
    "audit_links_sequence_once",
)
AS_READ = Sql(
    guard("coalesce((SELECT max(sequence) FROM audit_links), 0) = :last", "stale", "'audit_links'"),
    "audit_links_sequence_once",
)
# :links = [[id, sequence, hash], …].
ADD_LINKS = Sql("""
    INSERT INTO audit_links (id, sequence, hash, created_at)
    SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]'), json_extract(value, '$[2]'), :now
    FROM json_each(:links)
""")


@job("rate(1 minute)")
async def seal_audit_logs(call: JobCall) -> dict[str, int]:
    last, rows = await call.read(LAST(), UNSEALED(rows=ROWS_MAX))
    sequence, before = (last[0]["sequence"], last[0]["hash"]) if last else (0, "")
    first, links = sequence, []
    for row in rows:
        if row["sequence"] != sequence + 1:
            break
        sequence = row["sequence"]
        before = link_hash(before, sequence, row["content_hash"])
        links.append([row["id"], sequence, before])
    if links:
        await call.batch([AS_READ(last=first), ADD_LINKS(links=dumps(links), now=call.now)])
    gap = int(len(links) < len(rows))
    # Another round only for what a round has left: a gap stays one however often it is looked at.
    call.last = rows[-1] if rows and not gap else None
    return {"sealed": len(links), "gap": gap}


handler = seal_audit_logs.handler
