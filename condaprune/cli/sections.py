"""The sections of the whole help, and what the short help of the large commands shows."""

from __future__ import annotations

from collections.abc import Mapping

SECTIONS: Mapping[str, tuple[str, ...]] = {
    "Which environment": ("conda_name", "conda_prefix"),
    "What goes": (
        "profile", "rule_files", "select", "ignore", "settings", "keep", "drop", "exclude",
        "include", "keep_conda_meta", "bytecode", "strip", "no_guard",
    ),
    "Packages": ("drop_packages", "with_orphans", "only_packages"),
    "The workload": ("traces", "accept_failed", "only_traced", "closure"),
    "In place": (
        "yes", "verify", "heal", "heal_tries", "heal_time", "undoable", "allow_self",
        "trust_journal", "discard_journal",
    ),
    "An archive or a folder in place of that": (
        "output", "force", "format", "level", "threads", "dest_prefix", "owner", "mode", "arcroot",
        "ignore_editable", "zip_symlinks",
    ),
    "An image": (
        "image_layers", "image_codec", "image_base", "image_env", "image_entrypoint",
        "image_command", "image_user", "image_workdir",
    ),
    "Limits for archives that are read": ("entries", "size", "ratio", "links_out"),
    "Configuration": ("config_file", "isolated", "accept_config"),
    "Report": (
        "dry_run", "outputs", "form", "shown", "top", "manifest", "sbom", "quiet", "verbose",
        "no_progress", "help_1_help", "help_2_h", "help_1_h",
    ),
}  # fmt: skip
"""The parameters under each title; what is under none is the command's own and comes first."""

_WHAT = (
    ("profile", "safe, runtime (the default), minimal, or your own"),
    ("keep", "keep what matches, whatever else applies"),
    ("drop", "remove what matches, unless a guard needs it"),
)
_ENDS = (("help_1_help", "all options, in sections"),)

USUAL: Mapping[str, tuple[tuple[str, str], ...]] = {
    "prune": (
        ("dry_run", "show the plan, touch nothing"),
        ("output", "write an archive or a folder, leave ENV as it is"),
        ("conda_name", "the conda environment of this name, as ENV"),
        *_WHAT,
        ("bytecode", "drop (the default), keep, or hash"),
        ("strip", "strip symbols and debug data"),
        ("verify", "undo the run unless this works afterwards"),
        ("undoable", "keep what goes, for `condaprune undo`"),
        ("yes", "ask nothing"),
        ("quiet", "errors only"),
        *_ENDS,
    ),
    "explain": (*_WHAT, ("shown", "text or json"), *_ENDS),
    "audit": (
        ("by", "only these views: package, category, folder, ..."),
        ("depth", "levels of folders"),
        ("profile", "lay the plan of a prune over"),
        ("outputs", "write a form (html, json, md, ...) into a file"),
        ("form", "the form on stdout"),
        ("save", "save a baseline for `condaprune check`"),
        ("dockerfile", "print a final stage for a Dockerfile"),
        ("top", "rows of each table; 0 for all"),
        ("quick", "read no contents"),
        ("quiet", "errors only, and the answer"),
        *_ENDS,
    ),
    "check": (
        ("budget", "the file with the [budget] tables"),
        ("pruned", "count what a prune would leave"),
        ("baseline", "the saved audit to compare with"),
        ("save", "save a baseline of ENV as it is now"),
        ("form", "the form on stdout: text, json, md, github"),
        ("outputs", "write a form into a file"),
        ("profile", "with --pruned: the profile of the prune"),
        ("quiet", "errors only, and the answer"),
        *_ENDS,
    ),
}
"""By command, its usual options with a line each."""
