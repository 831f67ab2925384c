import { dirname, join, normalize } from 'node:path';
import type { SourceFile } from './source-file.ts';

/** A name that breaks a rule, and where. */
interface Breach {
  readonly name: string;
  readonly text: string;
}

/** The names that may break a rule, each with the reason why. */
export type Exceptions = Readonly<Record<string, string>>;

/** The top-level folder of a path, or the file itself where it is in none. */
export function folderOf(path: string): string {
  return path.split('/', 1)[0] ?? path;
}

/** The files of its own tree that a file imports. */
function localImports({ path, imports }: SourceFile): { readonly path: string; readonly name: string }[] {
  return imports
    .filter(({ from }) => from.startsWith('.'))
    .map(({ from, name }) => ({ path: normalize(join(dirname(path), from)), name }));
}

/** Imports from a folder that comes later in the line. */
export function importsFromLater(files: readonly SourceFile[], line: readonly string[]): string[] {
  const placeOf = (path: string) => line.indexOf(folderOf(path));
  return files.flatMap((file) =>
    localImports(file)
      .filter(({ path }) => placeOf(path) > placeOf(file.path))
      .map(({ path }) => `${file.path} imports ${path}`),
  );
}

/** Circles of files that import each other. */
export function importCycles(files: readonly SourceFile[]): string[] {
  const targets = new Map(files.map((file) => [file.path, localImports(file).map(({ path }) => path)]));
  const done = new Set<string>();
  const cycles: string[] = [];
  const visit = (path: string, trail: readonly string[]): void => {
    if (trail.includes(path)) cycles.push([...trail.slice(trail.indexOf(path)), path].join(' > '));
    if (trail.includes(path) || done.has(path)) return;
    for (const next of targets.get(path) ?? []) visit(next, [...trail, path]);
    done.add(path);
  };
  for (const path of targets.keys()) visit(path, []);
  return cycles;
}

/** Imports between the units of one folder, each a file or a folder in it; its index may import them all. */
export function importsBetweenUnits(files: readonly SourceFile[], folder: string): string[] {
  const unitOf = (path: string) => path.split('/')[1]?.replace(/\.ts$/, '');
  return files
    .filter(({ path }) => folderOf(path) === folder && path !== `${folder}/index.ts`)
    .flatMap((file) =>
      localImports(file)
        .filter(({ path }) => folderOf(path) === folder && unitOf(path) !== unitOf(file.path))
        .map(({ path }) => `${file.path} imports ${path}`),
    );
}

/** Imports of a package from outside the one folder that may know it. */
export function reservedImports(files: readonly SourceFile[], homes: Readonly<Record<string, string>>): string[] {
  return files.flatMap((file) =>
    file.imports
      .filter(({ from }) => Object.hasOwn(homes, from) && homes[from] !== folderOf(file.path))
      .map(({ from }) => `${file.path} imports ${from}`),
  );
}

/** XML namespaces of XMPP in string literals. */
export function namespacesWritten(files: readonly SourceFile[]): string[] {
  const namespace =
    /^(?:urn:xmpp:|urn:ietf:params:xml:ns:xmpp|jabber:[a-z]|http:\/\/(?:jabber\.org|etherx\.jabber\.org)\/)/;
  return files.flatMap(({ path, literals }) =>
    literals.filter((text) => namespace.test(text)).map((text) => `${path}: ${text}`),
  );
}

/** Files with more lines than they may have. */
export function longFiles(files: readonly SourceFile[], longest: number): string[] {
  return files.filter(({ lines }) => lines > longest).map(({ path, lines }) => `${path} has ${lines} lines`);
}

/** Functions with more lines than they may have. */
export function longFunctions(files: readonly SourceFile[], longest: number): Breach[] {
  return files.flatMap(({ path, functions }) =>
    functions
      .filter(({ lines }) => lines > longest)
      .map(({ name, lines }) => ({ name, text: `${path}: ${name} has ${lines} lines` })),
  );
}

/** Folders that hold more than this share of all lines. */
export function tooLarge(files: readonly SourceFile[], share: number): string[] {
  const sizes = new Map<string, number>();
  for (const { path, lines } of files) sizes.set(folderOf(path), (sizes.get(folderOf(path)) ?? 0) + lines);
  const total = files.reduce((sum, { lines }) => sum + lines, 0);
  return [...sizes]
    .filter(([, lines]) => lines > share * total)
    .map(([folder, lines]) => `${folder} has ${lines} of ${total} lines`);
}

/** Names of classes and types that end with a word that says nothing. */
export function vagueNames(files: readonly SourceFile[]): string[] {
  const vague = /(?:Manager|Helper|Util|Base|Data|Info)$/;
  return files.flatMap(({ path, classes, types }) =>
    [...classes, ...types].filter((name) => vague.test(name)).map((name) => `${path} ${name}`),
  );
}

/** Classes and types that two files export under one name. */
export function sharedTypeNames(files: readonly SourceFile[]): Breach[] {
  const places = new Map<string, string[]>();
  for (const { path, classes, types, exports } of files) {
    for (const name of [...classes, ...types].filter((type) => exports.includes(type))) {
      places.set(name, [...(places.get(name) ?? []), path]);
    }
  }
  return [...places]
    .filter(([, paths]) => paths.length > 1)
    .map(([name, paths]) => ({ name, text: `${name}: ${paths.join(', ')}` }));
}

/** Exports that no other of these files imports. */
export function unusedExports(files: readonly SourceFile[]): Breach[] {
  const used = new Set(files.flatMap(localImports).map(({ path, name }) => `${path} ${name}`));
  return files.flatMap(({ path, exports }) =>
    exports
      .filter((name) => !used.has(`${path} ${name}`) && !used.has(`${path} *`))
      .map((name) => ({ name, text: `${path}: ${name}` })),
  );
}

/** The exports among these that exist at run time: classes, functions and constants, but not types. */
export function unusedValues(files: readonly SourceFile[]): Breach[] {
  const values = files.map((file) => ({ ...file, exports: file.exports.filter((name) => !file.types.includes(name)) }));
  return unusedExports(values);
}

/** The breaches that have no reason, and the reasons that have no breach. */
export function unexplained(breaches: readonly Breach[], exceptions: Exceptions): string[] {
  const needless = Object.keys(exceptions).filter((exception) => breaches.every(({ name }) => name !== exception));
  return [
    ...breaches.filter(({ name }) => !Object.hasOwn(exceptions, name)).map(({ text }) => text),
    ...needless.map((name) => `${name} needs no exception`),
  ];
}
