"""The one error of the study that a user can mend."""


class StudyError(Exception):
    """One sentence that names the file, row or setting at fault and says what to do."""
