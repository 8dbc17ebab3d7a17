// Authorization servers (oidc-provider), one for each vendor and configured as that vendor is, each below a path of its own.
import { createServer } from 'node:http';
import { readFileSync } from 'node:fs';

const [, , port, module, file] = process.argv;
const { default: Provider } = await import(module);
const vendors = Object.fromEntries(
  JSON.parse(readFileSync(file, 'utf8')).map((vendor) => [vendor.name, serving(vendor)]),
);

function serving(vendor) {
  const { name, paths, scopes, joiner, clients, redirect, pkce, refresh, lasts, usual } = vendor;
  const provider = new Provider(`http://127.0.0.1:${port}/${name}`, {
    clients: clients.map((client) => ({
      ...client,
      redirect_uris: [redirect],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
    })),
    routes: { authorization: paths.authorize, token: paths.token, revocation: paths.revoke || '/none' },
    features: {
      devInteractions: { enabled: true },
      revocation: { enabled: Boolean(paths.revoke) },
      introspection: { enabled: true },
    },
    scopes,
    pkce: { required: () => pkce },
    ttl: { AccessToken: lasts || 86400, RefreshToken: 86400 * 365, Session: 3600, Interaction: 600, Grant: 86400 * 365 },
    issueRefreshToken: async () => refresh !== '',
    rotateRefreshToken: refresh === 'once',
    findAccount: async (_, id) => ({ accountId: id, claims: async () => ({ sub: id }) }),
    cookies: { keys: ['a-key-of-the-tests'] },
  });
  provider.use(async (context, next) => {
    if (context.path === paths.authorize && context.query.client_id) {
      const scope = (context.query.scope || usual).split(joiner).join(' ');
      context.query = { ...context.query, scope };
    }
    await next();
    if (context.path === paths.token && !lasts && context.body) {
      delete context.body.expires_in; // for ever, says this vendor
    }
  });
  return provider.callback();
}

createServer((request, response) => {
  const name = request.url.split('/')[1];
  if (!(name in vendors)) {
    response.writeHead(404).end();
    return;
  }
  request.baseUrl = `/${name}`; // below this the provider makes its addresses
  request.url = request.url.slice(name.length + 1) || '/';
  vendors[name](request, response);
}).listen(Number(port), '127.0.0.1');
