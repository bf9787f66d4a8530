/**
 * A text that is not JSON, or more than is accepted of it. The message says where, what is wrong and what is allowed.
 *
 * @example
 * ```ts
 * import { JsonError, parseJson } from '@ctr/oci';
 * try {
 *   parseJson('{\n  "a": 1,\n}');
 * } catch (error) {
 *   if (error instanceof JsonError) console.log(error.line, error.column); // 3 1
 * }
 * ```
 */
export class JsonError extends SyntaxError {
  override readonly name = 'JsonError';
  /** Counted from 1. */
  readonly line: number;
  /** Counted from 1, in UTF-16 code units, as editors do. */
  readonly column: number;

  constructor(text: string, offset: number, problem: string) {
    let line = 1;
    let start = 0;
    for (let at = text.indexOf('\n'); at !== -1 && at < offset; at = text.indexOf('\n', at + 1)) {
      line++;
      start = at + 1;
    }
    super(`line ${line}, column ${offset - start + 1}: ${problem}`);
    this.line = line;
    this.column = offset - start + 1;
  }
}
