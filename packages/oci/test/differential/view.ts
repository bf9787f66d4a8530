import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What is compared, by what it is about: `mount /proc`, `status CapEff`, `limit Max open files`. */
export type Facts = Readonly<Record<string, string>>;

/** The shell by which a container says what it sees. */
export const viewScript = readFileSync(join(import.meta.dirname, 'view.sh'), 'utf8');

/** proc(5): what of the status of a process is as its container is made. */
const ofStatus = new Set(
  'Umask Uid Gid Groups NStgid NSsid NoNewPrivs Seccomp Seccomp_filters Speculation_Store_Bypass SpeculationIndirectBranch Cpus_allowed_list Mems_allowed_list SigPnd SigBlk SigIgn SigCgt CapInh CapPrm CapEff CapBnd CapAmb THP_enabled'.split(
    ' ',
  ),
);
/** proc_pid_stat(5): the places of fields behind the name of the program, the third being the first of them. */
const ofStat = { 'process group': 2, session: 3, terminal: 4, priority: 15, nice: 16, 'realtime priority': 37, policy: 38 } as const;

/** Takes apart what a container has said. Without a view in it, it is a fact as a whole. */
export function factsOf(output: string, namespaceOf: (link: string) => string): Facts {
  const [before = '', ...sections] = output.split(/^== (?=\w+$)/m);
  const facts: Record<string, string> = before === '' ? {} : { output: before };
  for (const section of sections) {
    const end = section.indexOf('\n');
    const read = readers[section.slice(0, end)];
    if (!read) throw new Error(`view.sh has a section that nothing reads: ${section.slice(0, end)}`);
    Object.assign(facts, read(section.slice(end + 1).replace(/\n$/, ''), namespaceOf));
  }
  return facts;
}

/** Which number a process has outside of a pid namespace of its own is chance. */
function levels(numbers: string): string {
  return numbers
    .trim()
    .split(/\s+/)
    .map((number) => (number === '1' ? number : 'some'))
    .join(' ');
}

const words =
  (kind: string) =>
  (text: string): Facts =>
    Object.fromEntries(lines(text).map((line) => [`${kind} ${line.split(' ', 1)[0] ?? ''}`, line.slice(line.indexOf(' ') + 1).trim()]));

const readers: Readonly<Record<string, (text: string, namespaceOf: (link: string) => string) => Facts>> = {
  status: (text) =>
    Object.fromEntries(
      lines(text)
        .map((line) => line.split(/:\s*/, 2) as [string, string])
        .filter(([key]) => ofStatus.has(key))
        .map(([key, value]) => [`status ${key}`, key.startsWith('NS') ? levels(value) : value.trim()]),
    ),
  limits: (text) =>
    Object.fromEntries(
      lines(text)
        .slice(1)
        .map((line) => [`limit ${line.slice(0, 26).trim()}`, line.slice(26).trim().replaceAll(/\s+/g, ' ')]),
    ),
  mounts,
  cgroup: (text) => ({ cgroups: lines(text).toSorted().join('\n') }),
  ns: (text, namespaceOf) => Object.fromEntries(links(text).map(([name, to]) => [`namespace ${name}`, namespaceOf(to)])),
  environ: (text) => ({ environment: text }),
  cwd: (text) => ({ cwd: text }),
  fds: (text) =>
    Object.fromEntries(
      links(text)
        .filter(([, to]) => to !== '/bin/view')
        .map(([number, to]) => [`file ${number}`, to.replace(/^(pipe|socket):.*/, 'a pipe or a socket')]),
    ),
  stat: (text) => {
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    const pid = text.split(' ', 1)[0] ?? '';
    return Object.fromEntries(
      Object.entries(ofStat).map(([name, index]) => [`process ${name}`, index <= ofStat.session && fields[index] === pid ? 'its own' : (fields[index] ?? '')]),
    );
  },
  process: words('process'),
  devices: (text) =>
    Object.fromEntries(
      lines(text).map((line) => {
        const [, name = line, rest = ''] = /^'?([^' ]+)'?:? (.*)$/.exec(line) ?? [];
        // A link has no mode, and files have a size.
        return [`device ${name}`, rest.startsWith('->') ? rest.replace(/ symbolic link.*/, '') : rest];
      }),
    ),
  files: (text) => contents('process', text),
  groups: (text) =>
    Object.fromEntries(
      Object.entries(contents('group', text)).map(([key, value]) => [
        key,
        // Rules without an order.
        key.endsWith('devices.list')
          ? value
              .split(/ (?=[abc] )/)
              .toSorted()
              .join(', ')
          : value,
      ]),
    ),
  look: words('look'),
};

/** A mount by where it is; those that are mounted over are numbered. What is numbered differently each time is left out. */
function mounts(text: string): Facts {
  const all = lines(text).map((line) => {
    const [front = '', back = ''] = line.split(' - ');
    const [id = '', parent = '', , root = '', place = '', options = '', ...optional] = front.split(' ');
    return { id, parent, place, line: `${root} ${options} ${optional.map((tag) => tag.replace(/:\d+$/, '')).join(' ')}- ${back}` };
  });
  const placeOf = (id: string): string => all.find((each) => each.id === id)?.place ?? 'none';
  const facts: Record<string, string> = {};
  for (const { place, parent, line } of all) {
    const above = Object.keys(facts).filter((key) => key === `mount ${place}` || key.startsWith(`mount ${place} #`)).length;
    facts[`mount ${place}${above > 0 ? ` #${above + 1}` : ''}`] = `${line} on ${placeOf(parent)}`;
  }
  return facts;
}

/** What `ls -l` says of links. */
function links(text: string): (readonly [name: string, to: string])[] {
  return lines(text).flatMap((line) => {
    const [, name, to] = /(\S+) -> (.*)$/.exec(line) ?? [];
    return name !== undefined && to !== undefined ? [[name, to] as const] : [];
  });
}

/** What `grep -H` says of files. */
function contents(kind: string, text: string): Facts {
  const facts: Record<string, string> = {};
  for (const line of lines(text)) {
    const [file = ''] = line.split(':', 1);
    const key = `${kind} ${file.replace(/^.*\/(?=domainname$)/, '')}`;
    const value = line
      .slice(file.length + 1)
      .trim()
      .replaceAll(/\s+/g, ' ');
    facts[key] = key in facts ? `${facts[key] ?? ''} ${value}` : value;
  }
  return facts;
}

function lines(text: string): string[] {
  return text === '' ? [] : text.split('\n');
}
