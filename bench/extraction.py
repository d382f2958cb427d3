#!/usr/bin/env python3
"""Scores `dossier-extract` on a folder of PDFs against pdftotext and pdfium; prints a row of docs/extraction.md.

    bench/extraction.py FOLDER [--command target/release/dossier-extract] [--list 10]

Needs poppler-utils and `pip install pypdfium2`. Words are compared after NFKC, in lower case, with hyphens at
line ends removed and each ideograph or kana a word of its own. Only files count on which the two references
agree (both say 20 words or more, with a mutual F1 of 0.9); where we fail, F1 is 0. A word of four letters or
more that both references have and we lack is glued when it is inside a longer word of ours, and split when its
letters are there in a row. CPU is the least of three runs, on files that take pdftotext 30 ms or more.
"""
import argparse, collections, os, pathlib, re, statistics, subprocess, sys, tempfile, unicodedata

IDEOGRAPHS = "\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
WORD = re.compile(f"[{IDEOGRAPHS}]|[^\\W{IDEOGRAPHS}]+")
LINE_END_HYPHEN = re.compile("[-\u2010\x02\ufffe][ \t]*\r?\n[ \t\r\n]*")
PDFIUM = """import pypdfium2, sys
for page in pypdfium2.PdfDocument(sys.argv[1]):
    sys.stdout.buffer.write(page.get_textpage().get_text_range(errors="replace").encode("utf-8", "replace") + b"\\n")"""


def run(command, file):
    """What a command prints (nothing when it fails), and the processor time it takes."""
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen([*command, file], stdout=output, stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        output.seek(0)
        text = output.read().decode("utf-8", "replace") if status == 0 else ""
    return text, usage.ru_utime + usage.ru_stime


def words(text):
    text = unicodedata.normalize("NFKC", text)
    text = re.sub("[\u00ad\u200b\ufeff]", "", text)
    return WORD.findall(LINE_END_HYPHEN.sub("", text).lower())


def f1(reference, ours):
    total = sum(reference.values()) + sum(ours.values())
    return 2 * sum((reference & ours).values()) / total if total else 0.0


def bigrams(tokens):
    return collections.Counter(zip(tokens, tokens[1:]))


def damage(expected, ours):
    """How many words there are to find, and how many of them are glued and split."""
    bag, stream, joined = collections.Counter(ours), "".join(ours), "\n".join(ours)
    found = collections.Counter()
    for word, count in expected.items():
        if len(word) >= 4:
            found["all"] += count
            missing = max(0, count - bag[word])
            found["glued" if word in joined else "split" if word in stream else "lost"] += missing
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--command", default="target/release/dossier-extract")
    parser.add_argument("--list", type=int, default=0, help="name so many of the files with the lowest F1")
    options = parser.parse_args()
    pdftotext = ["pdftotext", "-q", "-enc", "UTF-8"]
    files, scores, order, reference_order = 0, [], [], []
    found, cpu, reference_cpu = collections.Counter(), 0.0, 0.0
    for file in sorted(options.folder.rglob("*.pdf")):
        files += 1
        # pdftotext wants its output named after the file.
        poppler, poppler_cpu = run(["sh", "-c", f'{" ".join(pdftotext)} "$0" -'], str(file))
        ours, our_cpu = run([options.command], str(file))
        pdfium, _ = run([sys.executable, "-c", PDFIUM], str(file))
        if ours and poppler_cpu >= 0.03:
            again = lambda command: min(run(command, str(file))[1] for _ in range(2))
            cpu += min(our_cpu, again([options.command]))
            reference_cpu += min(poppler_cpu, again(["sh", "-c", f'{" ".join(pdftotext)} "$0" -']))
        ours, references = words(ours), [words(poppler), words(pdfium)]
        bags = [collections.Counter(reference) for reference in references]
        if min(map(len, references)) < 20 or f1(*bags) < 0.9:
            continue
        scores.append((statistics.mean(f1(bag, collections.Counter(ours)) for bag in bags), file.name))
        order.append(f1(bigrams(references[1]), bigrams(ours)))
        reference_order.append(f1(bigrams(references[1]), bigrams(references[0])))
        found += damage(bags[0] & bags[1], ours)
    if not scores:
        sys.exit("there is no file on which the references agree")
    values = [score for score, _ in scores]
    print(f"| {options.folder.name} | {len(scores)} of {files} | {statistics.mean(values):.4f} "
          f"| {statistics.median(values):.3f} | {sum(value < 0.5 for value in values)} "
          f"| {statistics.mean(order):.3f} / {statistics.mean(reference_order):.3f} "
          f"| {found['glued'] / found['all']:.3%} / {found['split'] / found['all']:.3%} "
          f"| {cpu / reference_cpu if reference_cpu else float('nan'):.2f} |")
    for score, name in sorted(scores)[: options.list]:
        print(f"    {score:.4f} {name}")


if __name__ == "__main__":
    main()
