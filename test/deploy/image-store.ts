import { execFile } from 'node:child_process';
import {
  appendFileSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { LineProcess } from '../support/line-process.ts';
import { checkout } from './clean-machine.ts';

const run = promisify(execFile);
const withoutBooks = ['man', 'doc', 'locale'].map((name) => `--dpkgopt=path-exclude=/usr/share/${name}/*`);

/** What an image says about its containers. */
export interface ImageConfig {
  readonly User: string;
  readonly Entrypoint: readonly string[];
  readonly Cmd: readonly string[];
  readonly Volumes: Readonly<Record<string, object>>;
  readonly Healthcheck: { readonly Test: readonly string[] };
}

/** Images and containers of buildah in a directory of their own. It needs root, but no service and no registry of images. */
export class ImageStore {
  readonly #directory = mkdtempSync(join(tmpdir(), 'ampere-images-'));

  /** Where a file is that containers are given. */
  path(name: string): string {
    return join(this.#directory, name);
  }

  /** Runs buildah; resolves with what it prints. */
  async buildah(...args: readonly string[]): Promise<string> {
    const { stdout } = await run('buildah', [...this.#options, ...args], { cwd: checkout, maxBuffer: 2 ** 26 });
    return stdout.trim();
  }

  /** Makes the two images that the file for a container begins with: Debian as mmdebstrap makes it, and the same with Node.js and npm. */
  async makeBases(): Promise<void> {
    const tree = this.path('debian.tar');
    await run('mmdebstrap', ['--quiet', '--variant=minbase', ...withoutBooks, 'bookworm', tree], {
      maxBuffer: 2 ** 26,
    });
    const debian = await this.buildah('from', 'scratch');
    await this.buildah('add', '--quiet', debian, tree, '/');
    await this.buildah('commit', '--quiet', '--rm', debian, 'localhost/debian');
    const node = await this.buildah('from', '--pull-never', 'localhost/debian');
    const { stdout } = await run('sh', ['-c', 'command -v npm']);
    const npm = dirname(dirname(realpathSync(stdout.trim())));
    await this.buildah('copy', '--quiet', node, process.execPath, '/usr/local/bin/node');
    await this.buildah('copy', '--quiet', node, npm, '/usr/local/lib/node_modules/npm');
    const link = ['ln', '-s', '../lib/node_modules/npm/bin/npm-cli.js', '/usr/local/bin/npm'];
    await this.buildah('run', '--isolation', 'chroot', node, '--', ...link);
    await this.buildah('commit', '--quiet', '--rm', node, 'localhost/node');
  }

  /** Builds the image; npm reaches its registry as it does here. */
  async build(name: string): Promise<ImageConfig> {
    const npmrc = this.path('npmrc');
    const authorities = this.path('npm-ca.pem');
    const own = join(homedir(), '.npmrc');
    if (existsSync(own)) copyFileSync(own, npmrc);
    else writeFileSync(npmrc, '');
    const { NODE_EXTRA_CA_CERTS: extra } = process.env;
    if (extra === undefined) writeFileSync(authorities, '');
    else {
      copyFileSync(extra, authorities);
      appendFileSync(npmrc, '\ncafile=/root/npm-ca.pem\n');
    }
    await this.buildah(
      ...['build', '--isolation', 'chroot', '--format', 'docker', '--pull-never', '--quiet'],
      ...['--volume', `${npmrc}:/root/.npmrc:ro`, '--volume', `${authorities}:/root/npm-ca.pem:ro`],
      ...['--build-arg', 'NODE=localhost/node', '--build-arg', 'BASE=localhost/debian'],
      ...['--file', 'docs/deploy/Containerfile', '--tag', name, '.'],
    );
    const { Docker } = JSON.parse(await this.buildah('inspect', '--type', 'image', name));
    return Docker.config;
  }

  /** The command that runs another one in a container, as its user and in the network of this machine. */
  inContainer(container: string, ...command: readonly string[]): [string, ...string[]] {
    const configuration = this.path('etc');
    mkdirSync(configuration, { recursive: true });
    const options = ['--isolation', 'chroot', '--volume', `${configuration}:/etc/ampere:ro`];
    return ['buildah', ...this.#options, 'run', ...options, container, '--', ...command];
  }

  /** Starts a command in a container. */
  starts(container: string, ...command: readonly string[]): LineProcess {
    const [file, ...args] = this.inContainer(container, ...command);
    return new LineProcess(command.join(' '), file, args);
  }

  /** Runs a command in a container; resolves with what it prints. */
  async runs(container: string, ...command: readonly string[]): Promise<string> {
    const [file, ...args] = this.inContainer(container, ...command);
    return (await run(file, args)).stdout;
  }

  async remove(): Promise<void> {
    await this.buildah('rm', '--all');
    rmSync(this.#directory, { recursive: true, force: true });
  }

  get #options(): string[] {
    return ['--root', this.path('images'), '--runroot', this.path('run'), '--storage-driver', 'vfs'];
  }
}
