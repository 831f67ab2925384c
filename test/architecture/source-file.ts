import {
  type ArrowFunctionExpression,
  type EcmaScriptModule,
  type Function as FunctionNode,
  type Node,
  parseSync,
  visitorKeys,
} from 'oxc-parser';

/** A name that a file imports from another; `*` if it imports all of them. */
export interface Import {
  /** As written: a relative path or the name of a package. */
  readonly from: string;
  readonly name: string;
}

/** A function, method or arrow function. */
export interface MeasuredFunction {
  readonly name: string;
  /** From the first line of the signature to the closing brace. */
  readonly lines: number;
}

/** What the rules need to know of a source file, read from its syntax tree. */
export interface SourceFile {
  /** Relative to the folder that was read, such as `routing/router.ts`. */
  readonly path: string;
  readonly lines: number;
  readonly imports: readonly Import[];
  /** The names that it exports, with those that it passes on from other files. */
  readonly exports: readonly string[];
  /** The classes that it declares at the top level. */
  readonly classes: readonly string[];
  /** The interfaces and type aliases that it declares at the top level. */
  readonly types: readonly string[];
  readonly functions: readonly MeasuredFunction[];
  /** The contents of its string literals and templates. */
  readonly literals: readonly string[];
}

/** Reads a source file; throws if it has a syntax error. */
export function readSource(path: string, text: string): SourceFile {
  const { program, module, errors } = parseSync(path, text);
  if (errors[0]) throw new Error(`${path}: ${errors[0].message}`);
  const declarations = [...walk({ node: program, name: '(anonymous)', start: 0 })];
  const nodes = declarations.map(({ node }) => node);
  return {
    path,
    lines: text.split('\n').length - 1,
    imports: [...staticImports(module), ...nodes.flatMap(importsWithin)],
    exports: exportsOf(module),
    classes: declaredAs(['ClassDeclaration'], program.body),
    types: declaredAs(['TSInterfaceDeclaration', 'TSTypeAliasDeclaration'], program.body),
    functions: declarations
      .filter(({ node }) => isFunction(node) && node.body)
      .map(({ node, name, start }) => ({ name, lines: text.slice(start, node.end).split('\n').length })),
    literals: nodes.flatMap(literalsOf),
  };
}

/** A node, the name of the declaration around it, and where its own declaration starts. */
interface Declaration {
  readonly node: Node;
  readonly name: string;
  readonly start: number;
}

function* walk({ node, name, start }: Declaration): Generator<Declaration> {
  yield { node, name, start };
  for (const child of childrenOf(node)) {
    const begins = isFunction(child) && takesFunction(node) ? node.start : child.start;
    yield* walk({ node: child, name: declaredName(child) ?? name, start: begins });
  }
}

function childrenOf(node: Node): Node[] {
  const values: unknown[] = (visitorKeys[node.type] ?? []).map((key) => Reflect.get(node, key));
  return values.flat().filter(isNode);
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'type' in value;
}

function isFunction(node: Node): node is FunctionNode | ArrowFunctionExpression {
  return ['FunctionDeclaration', 'FunctionExpression', 'ArrowFunctionExpression'].includes(node.type);
}

/** Whether the signature of a function below this node starts with the node: a method, a property or a variable. */
function takesFunction({ type }: Node): boolean {
  return ['MethodDefinition', 'PropertyDefinition', 'Property', 'VariableDeclarator'].includes(type);
}

function declaredName(node: Node): string | undefined {
  const named = 'key' in node ? node.key : 'id' in node ? node.id : undefined;
  if (!isNode(named) || !('name' in named)) return undefined;
  return named.type === 'PrivateIdentifier' ? `#${named.name}` : String(named.name);
}

/** The names that the statements of a module declare as one of these kinds, exported or not. */
function declaredAs(kinds: readonly string[], statements: readonly Node[]): string[] {
  return statements
    .map((node) => (node.type === 'ExportNamedDeclaration' && node.declaration) || node)
    .filter(({ type }) => kinds.includes(type))
    .map((node) => declaredName(node) ?? 'default');
}

/** What the import and export statements of a module take from other files. */
function staticImports({ staticImports, staticExports }: EcmaScriptModule): Import[] {
  const imported = staticImports.flatMap(({ moduleRequest: { value: from }, entries }) =>
    entries.length === 0 ? { from, name: '*' } : entries.map(({ importName }) => ({ from, name: nameOf(importName) })),
  );
  const passedOn = staticExports
    .flatMap(({ entries }) => entries)
    .flatMap(({ moduleRequest, importName }) =>
      moduleRequest ? { from: moduleRequest.value, name: nameOf(importName) } : [],
    );
  return [...imported, ...passedOn];
}

function nameOf({ kind, name }: { readonly kind: string; readonly name: string | null }): string {
  return kind === 'Default' ? 'default' : (name ?? '*');
}

function exportsOf({ staticExports }: EcmaScriptModule): string[] {
  return staticExports
    .flatMap(({ entries }) => entries)
    .filter(({ exportName }) => exportName.name !== null || String(exportName.kind) === 'Default')
    .map(({ exportName }) => nameOf(exportName));
}

/** What `import('…')` imports, as an expression or in a type. */
function importsWithin(node: Node): Import[] {
  if (node.type !== 'ImportExpression' && node.type !== 'TSImportType') return [];
  return literalsOf(node.source).map((from) => ({ from, name: '*' }));
}

function literalsOf(node: Node): string[] {
  if (node.type === 'Literal') return typeof node.value === 'string' ? [node.value] : [];
  return node.type === 'TemplateElement' ? [node.value.raw] : [];
}
