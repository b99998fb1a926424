"""Chooses categories and types by the source and the name of an AWS event: by a service's own rule, else by the verb.

https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
"""

import re
from collections.abc import Callable
from functools import lru_cache

Meaning = tuple[list[str], list[str]]
"""Categories and types; shared, never changed in place."""

_WORD = re.compile(r"[A-Z][a-z0-9]*")
_CREATION = {
    "Create",
    "Run",
    "Allocate",
    "Register",
    "Launch",
    "Import",
    "Copy",
    "Request",
    "Issue",
    "Purchase",
    "Upload",
}
_DELETION = {"Delete", "Terminate", "Release", "Deregister", "Purge", "Remove", "Destroy"}
_ACCESS = {
    *("Get", "List", "Describe", "Head", "Lookup", "Search", "Query", "Scan", "Select", "View", "Download", "Check"),
    *("Validate", "Test", "Simulate", "Decrypt", "Estimate", "Preview", "Discover", "Filter", "Read", "Generate"),
}
_OF_A_USER = (
    "User",
    "AccessKey",
    "LoginProfile",
    "MFADevice",
    "SSHPublicKey",
    "ServiceSpecific",
    "Signing",
    "Password",
)
_OF_ALL = ("Role", "AccountPassword")
_LONGEST = 128
_OBJECTS = {
    **dict.fromkeys(
        ("PutObject", "CopyObject", "CompleteMultipartUpload", "RestoreObject", "CreateBucket"), "creation"
    ),
    **dict.fromkeys(("DeleteObject", "DeleteObjects", "AbortMultipartUpload", "DeleteBucket"), "deletion"),
    **dict.fromkeys(("GetObject", "HeadObject", "ListObjects", "ListObjectsV2", "ListObjectVersions"), "access"),
    **dict.fromkeys(("PutObjectAcl", "PutObjectTagging", "PutObjectRetention", "DeleteObjectTagging"), "change"),
    **dict.fromkeys(("CreateMultipartUpload", "UploadPart", "UploadPartCopy"), "change"),
}
_NO_LOGIN = frozenset({"GetCallerIdentity", "GetAccessKeyInfo", "DecodeAuthorizationMessage"})


def _kind(name: str) -> str:
    """creation, deletion, access or change, by the verb that the name begins with."""
    words = _WORD.findall(name) or [""]
    verb = words[1] if words[0] in ("Admin", "Batch") and len(words) > 1 else words[0]
    if verb in _ACCESS:
        return "access"
    return "creation" if verb in _CREATION else "deletion" if verb in _DELETION else "change"


def _iam(name: str) -> Meaning:
    """Users and groups; what belongs to one (a key, a policy, a membership) changes it when it comes or goes."""
    kind, name = _kind(name), name.removeprefix("Admin")
    if "Group" in name and name != "ListGroupsForUser":
        subject, whole = "group", ("CreateGroup", "DeleteGroup")
    elif any(part in name for part in _OF_A_USER) and not any(part in name for part in _OF_ALL):
        subject, whole = "user", ("CreateUser", "DeleteUser")
    else:
        subject, whole = "admin", (name, name)
    if kind == "access":
        return ["iam"], [subject, "info"]
    return ["iam"], [subject, kind if name in whole else "change"]


def _tokens(name: str) -> Meaning:
    return (["iam"], ["user", "info"]) if name in _NO_LOGIN else (["authentication"], ["info"])


def _signin(name: str) -> Meaning:
    return ["authentication"], ["start" if name in ("ConsoleLogin", "UserAuthentication") else "info"]


def _storage(name: str) -> Meaning:
    return (["file"], [_OBJECTS[name]]) if name in _OBJECTS else _other(name)


def _machines(name: str) -> Meaning:
    return (["iam"], ["admin", _kind(name)]) if name in ("CreateKeyPair", "ImportKeyPair") else _other(name)


def _other(name: str) -> Meaning:
    return ["configuration"], [_kind(name)]


_RULES: dict[str, Callable[[str], Meaning]] = {
    "iam.amazonaws.com": _iam,
    "identitystore.amazonaws.com": _iam,
    "sso-directory.amazonaws.com": _iam,
    "cognito-idp.amazonaws.com": _iam,
    "sts.amazonaws.com": _tokens,
    "signin.amazonaws.com": _signin,
    "s3.amazonaws.com": _storage,
    "ec2.amazonaws.com": _machines,
}


def meaning(source: str, name: str) -> Meaning:
    """What an event of that name means, whatever became of it."""
    if len(name) > _LONGEST or len(source) > _LONGEST:
        return _other("")
    return _meaning(source, name)


@lru_cache(2048)
def _meaning(source: str, name: str) -> Meaning:
    return _RULES.get(source, _other)(name)
