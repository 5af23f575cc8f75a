// The gateway: Cloudflare D1 for programs outside of Cloudflare, one batch a request.
//
// Shaped like Cloudflare's REST API (POST /client/v4/accounts/<account>/d1/database/<database>/query), which itself is
// for administration: four requests a second. <database> is the name of a D1 binding of this Worker; the account is not
// looked at. A batch is one transaction, all or nothing. Values are texts or null: D1 binds a bare number as REAL.
// The header x-d1-bookmark takes and gives a session's bookmark: a read with it is at least that new.

const ROUTE = /^\/client\/v4\/accounts\/[A-Za-z0-9_-]+\/d1\/database\/([A-Za-z_][A-Za-z0-9_]*)\/query$/;
const BODY_BYTES_MAX = 32 * 1024 * 1024;
const STATEMENTS_MAX = 1010; // the helper sends 1000 and a guard of its own
const SESSION = /^(first-primary|first-unconstrained|[0-9a-fA-F-]{1,200})$/;

export default {
  async fetch(request, env) {
    if (!(await isAllowed(request.headers.get("authorization") ?? "", env.TOKEN ?? ""))) {
      return failed(401, 10000, "Authentication error");
    }
    const route = new URL(request.url).pathname.match(ROUTE);
    if (!route) return failed(404, 7000, "No route for that URI");
    if (request.method !== "POST") return failed(405, 7001, "Method not allowed");
    const database = Object.hasOwn(env, route[1]) ? env[route[1]] : undefined;
    if (typeof database?.withSession !== "function") return failed(404, 7404, "The database was not found");
    const wanted = request.headers.get("x-d1-bookmark") ?? "first-primary";
    if (!SESSION.test(wanted)) return failed(400, 7400, "x-d1-bookmark is no bookmark");

    let statements;
    try {
      statements = statementsOf(await bodyOf(request));
    } catch (error) {
      return failed(400, 7400, error.message);
    }
    const session = database.withSession(wanted);
    let result;
    try {
      result = await session.batch(statements.map(({ sql, params }) => session.prepare(sql).bind(...params)));
    } catch (error) {
      return failed(400, 7500, error.message);
    }
    // What goes wrong from here on is 500: the batch was kept.
    return answered(200, { success: true, errors: [], messages: [], result }, session.getBookmark() ?? "");
  },
};

async function bodyOf(request) {
  const text = await request.text();
  if (text.length > BODY_BYTES_MAX) throw new Error(`The body has more than ${BODY_BYTES_MAX} characters`);
  try {
    return JSON.parse(text);
  } catch {
    throw new Error("The body is not JSON");
  }
}

/** The statements of `{"batch": [{"sql", "params"}]}` or `{"sql", "params"}`; throws for anything else. */
function statementsOf(body) {
  const found = Array.isArray(body?.batch) ? body.batch : [body];
  if (found.length === 0 || found.length > STATEMENTS_MAX) throw new Error(`1 to ${STATEMENTS_MAX} statements`);
  return found.map((one) => {
    const params = one?.params ?? [];
    if (typeof one?.sql !== "string" || !Array.isArray(params)) throw new Error("Each statement is {sql, params}");
    if (!params.every((value) => value === null || typeof value === "string")) {
      throw new Error("Each of params is a text or null: cast a number in the statement, CAST(?1 AS INTEGER)");
    }
    return { sql: one.sql, params };
  });
}

/** Whether the header carries one of the tokens (a comma list, to rotate), in a time that does not depend on where they differ. */
async function isAllowed(header, tokens) {
  const given = await digest(header);
  let allowed = false;
  for (const token of tokens.split(",")) {
    const same = crypto.subtle.timingSafeEqual(given, await digest(`Bearer ${token.trim()}`));
    allowed = (same && token.trim().length >= 16) || allowed;
  }
  return allowed;
}

function digest(text) {
  return crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
}

function failed(status, code, message) {
  return answered(status, { success: false, errors: [{ code, message }], messages: [], result: null });
}

function answered(status, body, bookmark) {
  const headers = { "content-type": "application/json", "cache-control": "no-store" };
  if (bookmark) headers["x-d1-bookmark"] = bookmark;
  return new Response(JSON.stringify(body), { status, headers });
}
