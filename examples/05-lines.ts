// The lines of a program as they come, and its end.
import { isContainerError, run } from '@ctr/runtime';

try {
  for await (const line of run(['sh', '-c', 'for i in 3 2 1; do echo $i; done; echo "no fuel" >&2; exit 4'])) console.log(`${line} …`);
} catch (error) {
  if (!isContainerError(error)) throw error;
  console.log(`exit code ${error.exitCode}: ${error.stderr.trim()}`);
}
// prints:
// 3 …
// 2 …
// 1 …
// exit code 4: no fuel
