"""The one error that a user causes and can mend."""


class UserError(ValueError):
    """Bad input: the message says in one line what is wrong, where, and what to do.

    The command line prints it as ``thalweg: <message>`` and exits with code 2.
    """


class CheckpointWarning(UserWarning):
    """Loading a checkpoint replaced an option that was chosen otherwise, such as a fresh learning rate."""
