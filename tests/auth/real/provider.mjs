// A real OpenID Connect provider on 127.0.0.1, with one public client and one person.
// node provider.mjs MODULE_FOLDER ISSUER_PORT
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import path from "node:path";

const [folder, port] = process.argv.slice(2);
const entry = createRequire(path.join(folder, "x.js")).resolve("oidc-provider");
const { Provider } = await import(pathToFileURL(entry).href);

const issuer = `http://127.0.0.1:${port}`;
const DEVICE = "urn:ietf:params:oauth:grant-type:device_code";
const provider = new Provider(issuer, {
  clients: [
    {
      client_id: "kedro-kubeflow",
      application_type: "native",
      token_endpoint_auth_method: "none",
      redirect_uris: ["http://127.0.0.1/callback"],
      grant_types: ["authorization_code", "refresh_token", DEVICE],
      response_types: ["code"],
    },
    {
      client_id: "oauth2-proxy",
      client_secret: "proxy-secret",
      redirect_uris: (process.env.PROXY_CALLBACK ?? "http://127.0.0.1/oauth2/callback").split(","),
      grant_types: ["authorization_code", "refresh_token"],
    },
    {
      client_id: "ci",
      client_secret: "ci-secret",
      redirect_uris: [],
      response_types: [],
      grant_types: ["client_credentials"],
      scope: "pipelines",
    },
  ],
  scopes: ["openid", "offline_access", "profile", "email", "groups", "pipelines"],
  claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name"], groups: ["groups"] },
  conformIdTokenClaims: false,
  pkce: { required: (_ctx, client) => client.clientId === "kedro-kubeflow" },
  features: {
    devInteractions: { enabled: true },
    deviceFlow: { enabled: true },
    revocation: { enabled: true },
    clientCredentials: { enabled: true },
  },
  ttl: { IdToken: Number(process.env.ID_TOKEN_SECONDS ?? 600), AccessToken: 600, RefreshToken: 3600 },
  rotateRefreshToken: true,
  issueRefreshToken: async (_ctx, client, code) => client.grantTypeAllowed("refresh_token") && code.scopes.has("offline_access"),
  findAccount: async (_ctx, id) => ({
    accountId: id,
    claims: async () => ({ sub: id, email: `${id}@example.com`, email_verified: true, name: id, groups: ["team-a"] }),
  }),
  cookies: { keys: ["a throw-away key"] },
});
provider.listen(Number(port), "127.0.0.1", () => console.log("listening"));
