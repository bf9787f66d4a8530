// For the property tests: whether something was refused in words of ctr's own, or by an error that V8 or Node has made of a value that nobody had looked at.
const internal =
  /AssertionError|The argument '|\(reading|is not a function|not iterable|not a constructor|Cannot (convert|destructure|mix|read|set|use)|circular structure|serialize a BigInt|Invalid (array|string|count|regular)|is not defined|ERR_|The "?\w+"? (argument|property)|must be of type|call stack|Reduce of empty|private (field|member)/i;

/**
 * What is wrong with how something was refused; nothing is if it was not, or well. An expectation that is not met is wrong, too.
 *
 * @param {() => unknown} act
 * @returns {string | undefined}
 */
export function verdict(act) {
  try {
    act();
    return undefined;
  } catch (error) {
    if (!(error instanceof Error)) return `no error: ${String(error)}`;
    const text = `${error.name}: ${error.message} ${String(/** @type {{ code?: unknown }} */ (error).code ?? '')}`;
    return error.message === '' || internal.test(text) ? `${text}\n${error.stack}` : undefined;
  }
}
