"""The tables of notebook 09, each recorded as results when it is made."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from fer_lib.emotions import in_order
from fer_lib.evaluation.compare import Difference, mean_interval
from fer_lib.evaluation.results import COLUMNS
from fer_lib.explain.action_units import agreement
from fer_lib.explain.claims import CLAIMS, ENOUGH, judged, percent
from fer_lib.explain.methods import CONTROLS, GAUSSIAN, RANDOM, fitting
from fer_lib.explain.regions import PLACES, heat_table, overlap, pointing
from fer_lib.explain.sentences import WORDS
from fer_lib.explainer import Explainer
from fer_lib.looks import Looks
from fer_lib.multistream import MODEL
from fer_lib.sanity_checks import against_nothing

ALIKE = 0.5  # rank correlation from which a map hardly depends on what the network has learnt


def regions_table(looks: Looks, name: str, method: str) -> pd.DataFrame:
    """`explain.regions.heat_table` of a network, by the emotion that it names; recorded as `heat/<place>`.

    Emotions named in fewer than `ENOUGH` pictures are not recorded: theirs would be numbers of single people.
    """
    shares, resamples = looks.shares(name, method), looks.study.profile.resamples
    found = heat_table(shares, looks.expected, looks.named(name)[looks.read], resamples)
    for place in shares:
        whole = mean_interval(shares[place].to_numpy(), resamples)
        gain = mean_interval((shares[place] - looks.expected[place]).to_numpy(), resamples)
        told = {"share of heat": whole, "gain over Gaussian": gain}
        _record(looks, f"heat/{_slug(place)}", name, told, shares[place].notna().sum(), method)
        rows = found[found["place"] == place]
        for row in rows[rows["n"] >= ENOUGH].itertuples():
            told = {f"share of heat[{row.emotion}]": Difference(row.value, row.low, row.high)}
            _record(looks, f"heat/{_slug(place)}", name, told, row.n, method)
    return found


def wide_regions(found: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Share of heat in percent, and points above what a centred Gaussian puts there: index emotions, columns places.

    Emotions named in fewer than `ENOUGH` pictures with a mesh are left out; both may be empty.
    """
    points = 100 * (found["value"] - found["expected"])
    known = found[found["n"] >= ENOUGH].assign(share=100 * found["value"], above=points)
    named = dict.fromkeys(known["emotion"])
    wide = (known.pivot_table(value, "emotion", "place").reindex(columns=list(PLACES)) for value in ("share", "above"))
    share, above = (frame.loc[in_order(named), list(PLACES)] for frame in wide)
    return share, above


def alike_between_emotions(means: Mapping[str, Mapping[str, np.ndarray]]) -> dict[str, float]:
    """How like the mean maps of two emotions are: their mean correlation, by method; nothing of one emotion alone.

    Parameters
    ----------
    means : {method: {emotion: mean map (S, S)}}, of `Looks.mean_maps`
    """
    found = {}
    for method, of in means.items():
        if len(of) > 1:
            correlations = np.corrcoef([one.ravel() for one in of.values()])
            found[method] = float(correlations[np.triu_indices(len(of), 1)].mean())
    return found


def region_texts(found: pd.DataFrame) -> pd.DataFrame:
    """Share of heat of `regions_table` in percent with intervals, for emotions as in `wide_regions`."""
    known = found[found["n"] >= ENOUGH]
    texts = [percent(Difference(row.value, row.low, row.high)) for row in known.itertuples()]
    wide = known.assign(text=texts).pivot(index=["emotion", "n"], columns="place", values="text")
    return wide.reindex(columns=list(PLACES))


def claims_table(looks: Looks, name: str) -> pd.DataFrame:
    """What papers read by eye, judged by every way of reading a network: index method, see `explain.claims.judged`."""
    named, resamples = looks.named(name)[looks.read], looks.study.profile.resamples
    parts = [
        judged(CLAIMS, looks.shares(name, way), looks.expected, named, resamples).assign(method=way)
        for way in looks.ways(name)
    ]
    return pd.concat(parts).fillna("–").set_index("method")


def faithful_table(looks: Looks, name: str) -> tuple[pd.DataFrame, dict[str, dict[str, Difference]]]:
    """How true every method's maps are, and how much truer than the centred Gaussian; recorded as `<score>/<method>`.

    Returns
    -------
    index method, a column a score, in points of probability with intervals; and {score: {method: gain over Gaussian}}
    """
    resamples, texts, gains = looks.study.profile.resamples, {}, {}
    for score, values in looks.faithfulness(name).items():
        means = {method: mean_interval(values[method].to_numpy(), resamples) for method in values}
        texts[score] = {method: percent(mean) for method, mean in means.items()}
        others = [method for method in values if method != GAUSSIAN]
        gains[score] = {m: mean_interval((values[m] - values[GAUSSIAN]).to_numpy(), resamples) for m in others}
        for method, mean in means.items():
            told = {score: mean} | ({"gain over Gaussian": gains[score][method]} if method in gains[score] else {})
            _record(looks, f"{score.lower()}/{_slug(method)}", name, told, len(values))
    return pd.DataFrame(texts).rename_axis("method"), gains


def unproven(gains: Mapping[str, Mapping[str, Difference]]) -> dict[str, list[str]]:
    """For each score the methods that do not surely beat the centred Gaussian."""
    return {
        score: [method for method, gain in of.items() if method != RANDOM and not gain.low > 0]
        for score, of in gains.items()
    }


def truest(gains: Mapping[str, Difference]) -> str | None:
    """The method with the highest gain of those that surely beat the centred Gaussian; None where none does."""
    sure = {method: gain.value for method, gain in gains.items() if method != RANDOM and gain.low > 0}
    return max(sure, key=sure.get) if sure else None


def nothing_table(looks: Looks, name: str) -> tuple[pd.DataFrame, list[str]]:
    """`sanity_checks.against_nothing` as texts, and the methods that hardly depend on what was learnt."""
    found = against_nothing(looks, name)
    for method, row in found.iterrows():
        told = {f"rank correlation, {told}": value for told, value in row.items()}
        _record(looks, f"sanity/{_slug(method)}", name, told, len(looks.some))
    alike = [method for method, row in found.iterrows() if any(value.low > ALIKE for value in row)]
    return found.map(_correlation).rename_axis("method"), alike


def truth_table(looks: Looks, name: str) -> pd.DataFrame:
    """Pointing game and overlap of every method's maps with where the emotion is; recorded as `pointing/<method>`.

    By FACS and the mesh, in any data; and by what the expression changes in the picture, in drawn people. Only pictures
    that the network names rightly count: in others, its map speaks for another emotion than the one that is there.
    """
    right = (looks.named(name) == looks.rows["label"].to_numpy())[looks.some, None, None]
    truths = {"action units": looks.facs[looks.some] & right}
    if looks.changed is not None:
        truths["changed pixels"] = looks.changed & right
    there = {told: truth[truth.any((1, 2))] for told, truth in truths.items()}
    column = {told: f"{{}}, {told}, % (of N {len(truth)})" for told, truth in there.items()}
    rows = {}
    for method in (*fitting(looks.network(name)[1]), *CONTROLS):
        heats, cells = looks.heat(name, method, looks.some), {}
        for told, truth in truths.items():
            scores = {"hit": pointing(heats, truth), "overlap": overlap(heats, truth)}
            means = {score: mean_interval(values, looks.study.profile.resamples) for score, values in scores.items()}
            named = {f"{score}, {told}": mean for score, mean in means.items()}
            _record(looks, f"pointing/{_slug(method)}", name, named, int((~np.isnan(scores["hit"])).sum()))
            cells |= {column[told].format(score): percent(mean) for score, mean in means.items()}
        rows[method] = cells
    areas = {told: f"{100 * truth.mean():.1f}" if len(truth) else "–" for told, truth in there.items()}
    rows["by chance"] = {column[told].format("hit"): area for told, area in areas.items()}
    return pd.DataFrame.from_dict(rows, orient="index").fillna("–").rename_axis("method")


def _record(looks: Looks, experiment: str, model: str, found: Mapping[str, Difference], n: int, note: str = "") -> None:
    told = {"notebook": looks.study.notebook[:2], "experiment": experiment, "model": model, "split": "test", "n": n}
    told |= {"train_condition": "bare", "test_condition": "bare", "seed": looks.study.seed, "source": "ours"}
    told |= {"selection": "epoch on validation", "note": note}
    known = {metric: value for metric, value in found.items() if not np.isnan(value.value)}
    rows = [told | {"metric": metric, "value": x.value, "low": x.low, "high": x.high} for metric, x in known.items()]
    if rows:
        looks.study.record(pd.DataFrame(rows).reindex(columns=COLUMNS))


def _slug(name: str) -> str:
    return name.lower().replace(" ", "_")


def _correlation(found: Difference) -> str:
    return "no map" if np.isnan(found.value) else f"{found.value:.2f} [{found.low:.2f}, {found.high:.2f}]"


def record_streams(looks: Looks, carried: Mapping[str, Difference], n: int) -> None:
    """Record what each group of SAFER's streams adds to the emotion named, as `streams/<group>`."""
    for group, mean in carried.items():
        _record(looks, f"streams/{_slug(group)}", MODEL, {"probability added": mean}, n)


def sentence_agreement(looks: Looks, explainer: Explainer) -> pd.DataFrame | None:
    """How many of the action units told in sentences are driven in truth; recorded as `sentence/action_units`.

    Returns
    -------
    index unit, "all" first; how often named, and shares in percent; None for data that know no action units
    """
    if explainer.reader is None:
        return None
    told_units = [
        None if units is None else explainer.evidence(number).seen
        for number, units in enumerate(explainer.units["units"])
    ]
    found = agreement(explainer.rows, told_units, looks.study.profile.resamples)
    whole = found.loc["all"]
    told = {"named and driven": Difference(whole["agreement"], whole["low"], whole["high"])}
    told["strongly driven and named"] = Difference(whole["recall"], np.nan, np.nan)
    _record(looks, "sentence/action_units", MODEL, told, int(whole["n"]))
    seen = found[found["named"] > 0]
    words = [f"{unit} {WORDS[unit]}" if unit in WORDS else str(unit) for unit in seen.index]
    shares = [percent(Difference(row.agreement, row.low, row.high)) for row in seen.itertuples()]
    columns = {"named": seen["named"].to_numpy(), "of these driven, %": shares}
    columns |= {"strong ones found, %": [f"{100 * share:.0f}" for share in seen["recall"]]}
    return pd.DataFrame(columns, index=pd.Index(words, name="action unit"))
