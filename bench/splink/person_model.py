"""Links a generated register with Splink's documentation's person model, and counts pairs against the truth.

    python3 -m venv venv && venv/bin/pip install splink duckdb pandas
    venv/bin/python bench/splink/person_model.py people.csv truth.csv [links.csv]

With a third file (`./opencr export links`) the registry's own groups are counted against the same truth.
"""

import csv
import resource
import sys
import time
from collections import Counter, defaultdict

import pandas as pd
import splink.comparison_library as cl
from splink import DuckDBAPI, Linker, SettingsCreator, block_on


def pairs_of(groups):
    return sum(n * (n - 1) // 2 for n in groups.values())


def quality(cluster_of, person_of):
    """Pairwise precision, recall and F1, and B-cubed F1, of clusters against persons."""
    both = Counter((cluster_of[i], person_of[i]) for i in person_of)
    clusters, persons = Counter(cluster_of[i] for i in person_of), Counter(person_of.values())
    right = pairs_of(both)
    precision, recall = right / max(1, pairs_of(clusters)), right / max(1, pairs_of(persons))
    b_precision = sum(n * n / clusters[c] for (c, _), n in both.items()) / len(person_of)
    b_recall = sum(n * n / persons[p] for (_, p), n in both.items()) / len(person_of)
    f = lambda p, r: 2 * p * r / (p + r) if p + r else 0.0
    return precision, recall, f(precision, recall), f(b_precision, b_recall)


def told(name, cluster_of, person_of):
    p, r, f1, b3 = quality(cluster_of, person_of)
    print(f"{name}: P {p:.3f} R {r:.3f} F1 {f1:.3f}, B-cubed {b3:.3f}")


def main(people, truth, links=None):
    person_of = {row["id"]: row["person"] for row in csv.DictReader(open(truth))}
    frame = pd.read_csv(people, dtype=str).rename(
        columns={"id": "unique_id", "given": "first_name", "family": "surname", "birthdate": "dob"}
    )
    began, cpu = time.time(), time.process_time()
    settings = SettingsCreator(
        link_type="dedupe_only",
        blocking_rules_to_generate_predictions=[
            block_on("first_name", "surname"),
            block_on("surname", "dob"),
            block_on("first_name", "dob"),
            block_on("phone"),
            block_on("national_id"),
        ],
        comparisons=[
            cl.ForenameSurnameComparison("first_name", "surname"),
            cl.DateOfBirthComparison("dob", input_is_string=True),
            cl.ExactMatch("phone"),
            cl.ExactMatch("national_id"),
            cl.ExactMatch("village").configure(term_frequency_adjustments=True),
            cl.ExactMatch("sex"),
        ],
    )
    linker = Linker(DuckDBAPI().register(frame), settings, log_level=None)
    training = linker.training
    training.estimate_probability_two_random_records_match([block_on("first_name", "surname", "dob")], recall=0.6)
    training.estimate_u_using_random_sampling(max_pairs=2e6)
    # The documentation blocks on the date of birth alone; with a third of all born on some 1 January that is 10^9 pairs at a million.
    training.estimate_parameters_using_expectation_maximisation(block_on("dob", "village"))
    training.estimate_parameters_using_expectation_maximisation(block_on("first_name", "surname"))
    predictions = linker.inference.predict(threshold_match_probability=0.5)
    scored = predictions.as_pandas_dataframe()[["match_probability"]]
    clusters = {}
    for threshold in (0.9, 0.95, 0.99, 0.999):
        found = linker.clustering.cluster_pairwise_predictions_at_threshold(predictions, threshold)
        frame_of = found.as_pandas_dataframe()
        clusters[threshold] = dict(zip(frame_of["unique_id"], frame_of["cluster_id"]))
    usage = resource.getrusage(resource.RUSAGE_SELF)
    print(
        f"splink: {time.time() - began:.1f} s wall, {time.process_time() - cpu:.1f} CPU-s, "
        f"{usage.ru_maxrss / 1e6:.1f} GB, {len(scored)} pairs at .5 or more"
    )
    for threshold, cluster_of in clusters.items():
        told(f"splink at {threshold}", cluster_of, person_of)
    if links:
        own = defaultdict(lambda: None)
        for row in csv.DictReader(open(links)):
            own[row["value"]] = row["cruid"]
        told("opencr", own, person_of)


if __name__ == "__main__":
    main(*sys.argv[1:])
