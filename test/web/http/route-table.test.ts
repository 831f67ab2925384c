import { expect } from 'chai';
import type { HttpMethod, HttpRoute } from '../../../src/routing/http-route.ts';
import { RouteTable } from '../../../src/web/http/route-table.ts';

const route = (path: string, ...methods: HttpMethod[]): HttpRoute => ({
  path,
  methods,
  handle: () => ({ status: 200 }),
});

describe('The table of HTTP routes', () => {
  const table = new RouteTable([
    route('/', 'GET'),
    route('/files/:token', 'GET', 'PUT'),
    route('/files/list', 'GET'),
    route('/files/:token/:name', 'DELETE'),
  ]);

  const found: readonly (readonly [request: string, path: string | undefined, parameters?: object])[] = [
    ['GET /', '/'],
    ['HEAD /', '/'],
    ['POST /', undefined],
    ['GET /files/list', '/files/list'],
    ['PUT /files/list', '/files/:token', { token: 'list' }],
    ['GET /files/a%2Fb', '/files/:token', { token: 'a%2Fb' }],
    ['GET /files/..', '/files/:token', { token: '..' }],
    ['DELETE /files/a/b', '/files/:token/:name', { token: 'a', name: 'b' }],
  ];
  for (const [request, path, parameters = {}] of found)
    it(`leads ${request} to ${path}`, () => {
      const [method = '', target = ''] = request.split(' ');
      const match = table.find(method, target)?.match;
      expect(match?.route.path).to.equal(path);
      expect(match?.parameters ?? {}).to.deep.equal(parameters);
    });

  for (const path of [
    '/files',
    '/files/',
    '//',
    '/files/a/',
    '/FILES/a',
    '/files/a%',
    '/files/ä',
    '/files/a\\b',
    '',
    '*',
  ])
    it(`has nothing at ${JSON.stringify(path)}`, () => {
      expect(table.find('GET', path)).to.equal(undefined);
    });

  it('tells which methods a path has', () => {
    expect(table.find('POST', '/files/a')?.allowed).to.deep.equal(['GET', 'PUT', 'HEAD', 'OPTIONS']);
    expect(table.find('GET', '/files/a/b')?.allowed).to.deep.equal(['DELETE', 'OPTIONS']);
  });

  it('refuses two routes for the same method and path', () => {
    expect(() => new RouteTable([route('/a/:x', 'GET'), route('/a/:y', 'PUT', 'GET')])).to.throw('GET /a/:');
    expect(
      new RouteTable([route('/a/:x', 'GET'), route('/a/:y', 'PUT')]).find('PUT', '/a/b')?.match?.parameters,
    ).to.deep.equal({ y: 'b' });
  });
});
