/** More of a value than this is not shown in a message. */
const MAX_SHOWN = 80;

/**
 * A text that somebody gave, for a message: in quotes, cut, and with everything escaped that could move the cursor or hide something.
 */
export function shown(text: string): string {
  const cut = text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text;
  return `"${printable(cut.replaceAll(/["\\]/g, String.raw`\$&`))}"`;
}

/** Escapes control characters and invisible ones (`\u001b`), so that a terminal shows them and does not obey them. */
export function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]|\p{Cs}/gu, (character) => {
    if (character === '\n') return String.raw`\n`;
    if (character === '\t') return String.raw`\t`;
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}
