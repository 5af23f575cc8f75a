// An Ed25519 key pair and two tokens signed with it, made on the spot: {"public": PEM, "token", "stranger"} as JSON.
// `stranger` is signed with another key: the server must refuse it.
import { generateKeyPairSync, sign } from "node:crypto";

const encoded = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");

function tokenOf(key) {
  const text = `${encoded({ alg: "EdDSA", typ: "JWT" })}.${encoded({ exp: Math.floor(Date.now() / 1000) + 86_400 })}`;
  return `${text}.${sign(null, Buffer.from(text), key).toString("base64url")}`;
}

const ours = generateKeyPairSync("ed25519");
const theirs = generateKeyPairSync("ed25519");
console.log(
  JSON.stringify({
    public: ours.publicKey.export({ type: "spki", format: "pem" }),
    token: tokenOf(ours.privateKey),
    stranger: tokenOf(theirs.privateKey),
  }),
);
