// An OAuth 2 authorization server (oidc-provider) with PKCE, refresh tokens that rotate, and its own pages for sign-in and consent.
const [, , port, module, redirect] = process.argv;
const { default: Provider } = await import(module);
const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [
    {
      client_id: 'app',
      client_secret: 'app-secret',
      redirect_uris: [redirect],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
    },
  ],
  features: { devInteractions: { enabled: true }, revocation: { enabled: true }, introspection: { enabled: true } },
  scopes: ['openid', 'offline_access', 'post'],
  pkce: { required: () => true },
  ttl: { AccessToken: 600, RefreshToken: 3600, Session: 3600, Interaction: 600, Grant: 3600 },
  issueRefreshToken: async () => true,
  rotateRefreshToken: true,
  findAccount: async (_, id) => ({ accountId: id, claims: async () => ({ sub: id }) }),
  cookies: { keys: ['a-key-of-the-tests'] },
});
provider.listen(Number(port), '127.0.0.1');
