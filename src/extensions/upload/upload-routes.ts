import { type HttpAnswer, HttpError, type HttpRequest, type HttpRoute, isUnchanged } from '../../routing/http-route.ts';
import type { BlobStore, ByteRange } from '../../storage/blobs.ts';
import type { StoredUpload, UploadStore } from '../../storage/uploads.ts';
import type { Log } from '../../support/log.ts';
import { requestedRange } from './byte-range.ts';
import { contentHeaders } from './media-type.ts';
import type { Uploads } from './uploads.ts';

/** The least rate of an upload. */
const leastBytesPerSecond = 1000;

const everyOrigin = ['*'];

/** Dependencies of the routes. */
interface UploadRouteDeps {
  readonly uploads: Pick<Uploads, 'receive'>;
  readonly store: Pick<UploadStore, 'find'>;
  readonly blobs: Pick<BlobStore, 'read'>;
  /** Read at each use. Without a URL there are no files, and nobody can upload any. */
  readonly options: { readonly url: string | undefined; readonly limits: { readonly fileBytes: number } };
  readonly log: Log;
}

/** The paths of uploads (XEP-0363 §6) and of uploaded files. Only the token or the id in a path counts; the name is for people. */
export function uploadRoutes(deps: UploadRouteDeps): readonly HttpRoute[] {
  return [
    {
      methods: ['PUT'],
      path: '/upload/:token/:name',
      get bodyBytes() {
        return deps.options.limits.fileBytes;
      },
      leastBytesPerSecond,
      origins: everyOrigin,
      handle: (request) => receive(request, deps),
    },
    {
      methods: ['GET'],
      path: '/files/:id/:name',
      origins: everyOrigin,
      handle: (request) => serve(request, deps),
    },
  ];
}

async function receive(
  { parameters, headers, body }: HttpRequest,
  { uploads, options }: UploadRouteDeps,
): Promise<HttpAnswer> {
  if (options.url === undefined) throw new HttpError(404);
  const announced = { length: single(headers['content-length']), type: single(headers['content-type']) };
  return { status: await uploads.receive(parameters['token'] ?? '', announced, body) };
}

async function serve(request: HttpRequest, deps: UploadRouteDeps): Promise<HttpAnswer> {
  if (deps.options.url === undefined) throw new HttpError(404);
  const upload = await deps.store.find(request.parameters['id'] ?? '');
  if (upload === undefined) throw new HttpError(404);
  if (upload === 'gone') throw new HttpError(410);
  const etag = `"${upload.id}"`;
  const cached = { etag, 'cache-control': 'private, max-age=86400' };
  if (isUnchanged(request, etag)) return { status: 304, headers: cached };
  const range = rangeOf(request, upload, etag);
  if (range === 'unsatisfiable') return { status: 416, headers: { 'content-range': `bytes */${upload.size}` } };
  return content(request, upload, range, cached, deps);
}

async function content(
  { method }: HttpRequest,
  { id, name, type, size }: StoredUpload,
  wanted: ByteRange | undefined,
  cached: Readonly<Record<string, string>>,
  { blobs, log }: UploadRouteDeps,
): Promise<HttpAnswer> {
  const range = wanted ?? { first: 0, last: size - 1 };
  const headers = {
    ...contentHeaders(name, type),
    ...cached,
    'accept-ranges': 'bytes',
    'access-control-expose-headers': 'Accept-Ranges, Content-Disposition, Content-Length, Content-Range, ETag',
    'content-length': String(range.last - range.first + 1),
    ...(wanted && { 'content-range': `bytes ${range.first}-${range.last}/${size}` }),
  };
  const status = wanted ? 206 : 200;
  if (method === 'HEAD') return { status, headers };
  const body = await blobs.read(id, range);
  if (body) return { status, headers, body };
  log.error({ upload: id }, 'the content of an upload is missing');
  throw new HttpError(410);
}

/** The part that is wanted. A condition that does not hold makes it the whole (RFC 9110 §13.1.5). HEAD has no parts (§14.2). */
function rangeOf({ method, headers }: HttpRequest, { size }: StoredUpload, etag: string) {
  const condition = single(headers['if-range']);
  if (method === 'HEAD' || (condition !== undefined && condition !== etag)) return undefined;
  return requestedRange(single(headers['range']), size);
}

function single(header: string | readonly string[] | undefined): string | undefined {
  return typeof header === 'string' ? header : header?.[0];
}
