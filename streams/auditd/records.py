"""Says what each type of audit record means: names by number, and columns by name.

Sources: include/uapi/linux/audit.h of Linux 6.8, lib/audit-records.h of audit-userspace 4.0.
https://github.com/linux-audit/audit-documentation/wiki/SPEC-Audit-Event-Enrichment
"""

from topics.event import Event

LOGINS = frozenset(
    (
        *("USER_AUTH", "USER_ACCT", "USER_LOGIN", "USER_LOGOUT", "USER_START", "USER_END", "USER_ERR"),
        *("CRED_ACQ", "CRED_DISP", "CRED_REFR"),
    )
)
"""Records about an account (`acct`, or `id`) that somebody logs in to."""
USERS = frozenset(
    (
        *("ADD_USER", "DEL_USER", "USER_MGMT", "USER_CHAUTHTOK", "ACCT_LOCK", "ACCT_UNLOCK", "ROLE_ASSIGN"),
        *("ROLE_REMOVE", "USER_ROLE_CHANGE", "ANOM_ADD_ACCT", "ANOM_DEL_ACCT", "ANOM_MOD_ACCT"),
    )
)
"""Records about an account that somebody changes."""
GROUPS = frozenset(("ADD_GROUP", "DEL_GROUP", "GRP_MGMT", "GRP_CHAUTHTOK", "GRP_AUTH"))
"""Records whose `acct` is a group."""

_RUNS = {
    1005: "USER LOGIN",
    1100: (
        "USER_AUTH USER_ACCT USER_MGMT CRED_ACQ CRED_DISP USER_START USER_END USER_AVC USER_CHAUTHTOK USER_ERR "
        "CRED_REFR USYS_CONFIG USER_LOGIN USER_LOGOUT ADD_USER DEL_USER ADD_GROUP DEL_GROUP DAC_CHECK CHGRP_ID TEST "
        "TRUSTED_APP USER_SELINUX_ERR USER_CMD USER_TTY CHUSER_ID GRP_AUTH SYSTEM_BOOT SYSTEM_SHUTDOWN "
        "SYSTEM_RUNLEVEL SERVICE_START SERVICE_STOP GRP_MGMT GRP_CHAUTHTOK MAC_CHECK ACCT_LOCK ACCT_UNLOCK "
        "USER_DEVICE SOFTWARE_UPDATE"
    ),
    1200: (
        "DAEMON_START DAEMON_END DAEMON_ABORT DAEMON_CONFIG DAEMON_RECONFIG DAEMON_ROTATE DAEMON_RESUME DAEMON_ACCEPT "
        "DAEMON_CLOSE DAEMON_ERR"
    ),
    1300: "SYSCALL",
    1302: "PATH IPC SOCKETCALL CONFIG_CHANGE SOCKADDR CWD",
    1309: "EXECVE",
    1311: (
        "IPC_SET_PERM MQ_OPEN MQ_SENDRECV MQ_NOTIFY MQ_GETSETATTR KERNEL_OTHER FD_PAIR OBJ_PID TTY EOE BPRM_FCAPS "
        "CAPSET MMAP NETFILTER_PKT NETFILTER_CFG SECCOMP PROCTITLE FEATURE_CHANGE REPLACE KERN_MODULE FANOTIFY "
        "TIME_INJOFFSET TIME_ADJNTPVAL BPF EVENT_LISTENER URINGOP OPENAT2 DM_CTRL DM_EVENT"
    ),
    1400: (
        "AVC SELINUX_ERR AVC_PATH MAC_POLICY_LOAD MAC_STATUS MAC_CONFIG_CHANGE MAC_UNLBL_ALLOW MAC_CIPSOV4_ADD "
        "MAC_CIPSOV4_DEL MAC_MAP_ADD MAC_MAP_DEL MAC_IPSEC_ADDSA MAC_IPSEC_DELSA MAC_IPSEC_ADDSPD MAC_IPSEC_DELSPD "
        "MAC_IPSEC_EVENT MAC_UNLBL_STCADD MAC_UNLBL_STCDEL MAC_CALIPSO_ADD MAC_CALIPSO_DEL"
    ),
    1501: "APPARMOR_AUDIT APPARMOR_ALLOWED APPARMOR_DENIED APPARMOR_HINT APPARMOR_STATUS APPARMOR_ERROR",
    1700: "ANOM_PROMISCUOUS ANOM_ABEND ANOM_LINK ANOM_CREAT",
    1800: (
        "INTEGRITY_DATA INTEGRITY_METADATA INTEGRITY_STATUS INTEGRITY_HASH INTEGRITY_PCR INTEGRITY_RULE "
        "INTEGRITY_EVM_XATTR INTEGRITY_POLICY_RULE"
    ),
    2000: "KERNEL",
    2100: (
        "ANOM_LOGIN_FAILURES ANOM_LOGIN_TIME ANOM_LOGIN_SESSIONS ANOM_LOGIN_ACCT ANOM_LOGIN_LOCATION ANOM_MAX_DAC "
        "ANOM_MAX_MAC ANOM_AMTU_FAIL ANOM_RBAC_FAIL ANOM_RBAC_INTEGRITY_FAIL ANOM_CRYPTO_FAIL ANOM_ACCESS_FS ANOM_EXEC "
        "ANOM_MK_EXEC ANOM_ADD_ACCT ANOM_DEL_ACCT ANOM_MOD_ACCT ANOM_ROOT_TRANS ANOM_LOGIN_SERVICE"
    ),
    2300: (
        "USER_ROLE_CHANGE ROLE_ASSIGN ROLE_REMOVE LABEL_OVERRIDE LABEL_LEVEL_CHANGE USER_LABELED_EXPORT "
        "USER_UNLABELED_EXPORT DEV_ALLOC DEV_DEALLOC FS_RELABEL USER_MAC_POLICY_LOAD ROLE_MODIFY USER_MAC_CONFIG_CHANGE"
    ),
    2400: (
        "CRYPTO_TEST_USER CRYPTO_PARAM_CHANGE_USER CRYPTO_LOGIN CRYPTO_LOGOUT CRYPTO_KEY_USER CRYPTO_FAILURE_USER "
        "CRYPTO_REPLAY_USER CRYPTO_SESSION CRYPTO_IKE_SA CRYPTO_IPSEC_SA"
    ),
    2500: (
        "VIRT_CONTROL VIRT_RESOURCE VIRT_MACHINE_ID VIRT_INTEGRITY_CHECK VIRT_CREATE VIRT_DESTROY VIRT_MIGRATE_IN "
        "VIRT_MIGRATE_OUT"
    ),
}
NAMES = {str(first + at): name for first, names in _RUNS.items() for at, name in enumerate(names.split())}
"""The names of record types by their numbers, which the kernel writes when it logs by itself."""

_MEANINGS: dict[tuple[str, str], str] = {
    ("authentication", "info"): (
        "USER_AUTH USER_ACCT USER_ERR CRED_ACQ CRED_DISP CRED_REFR GRP_AUTH CRYPTO_LOGIN CRYPTO_LOGOUT "
        "ANOM_LOGIN_FAILURES ANOM_LOGIN_TIME ANOM_LOGIN_SESSIONS ANOM_LOGIN_ACCT ANOM_LOGIN_LOCATION ANOM_LOGIN_SERVICE"
    ),
    ("authentication", "start"): "USER_LOGIN LOGIN",
    ("authentication", "end"): "USER_LOGOUT",
    ("session", "start"): "USER_START",
    ("session", "end"): "USER_END",
    ("iam", "user creation"): "ADD_USER ANOM_ADD_ACCT",
    ("iam", "user deletion"): "DEL_USER ANOM_DEL_ACCT",
    ("iam", "user change"): (
        "USER_MGMT USER_CHAUTHTOK ACCT_LOCK ACCT_UNLOCK ROLE_ASSIGN ROLE_REMOVE USER_ROLE_CHANGE ANOM_MOD_ACCT"
    ),
    ("iam", "change"): "ROLE_MODIFY",
    ("iam", "group creation"): "ADD_GROUP",
    ("iam", "group deletion"): "DEL_GROUP",
    ("iam", "group change"): "GRP_MGMT GRP_CHAUTHTOK",
    ("process", "start"): "USER_CMD SERVICE_START DAEMON_START ANOM_EXEC",
    ("process", "end"): "SERVICE_STOP DAEMON_END DAEMON_ABORT",
    ("process intrusion_detection", "end"): "ANOM_ABEND",
    ("process", "change"): "CHGRP_ID CHUSER_ID DAEMON_RESUME DAEMON_ROTATE CAPSET BPRM_FCAPS ANOM_ROOT_TRANS",
    ("process", "access"): "AVC USER_AVC SELINUX_ERR USER_SELINUX_ERR SECCOMP APPARMOR_DENIED APPARMOR_ALLOWED",
    ("process configuration", "change"): "CONFIG_CHANGE DAEMON_CONFIG",
    ("process configuration", "info"): "DAEMON_RECONFIG",
    ("configuration", "change"): (
        "FEATURE_CHANGE MAC_CONFIG_CHANGE MAC_STATUS NETFILTER_CFG USYS_CONFIG USER_MAC_CONFIG_CHANGE MAC_POLICY_LOAD "
        "MAC_UNLBL_ALLOW MAC_CIPSOV4_ADD MAC_CIPSOV4_DEL MAC_MAP_ADD MAC_MAP_DEL MAC_IPSEC_ADDSA MAC_IPSEC_DELSA "
        "MAC_IPSEC_ADDSPD MAC_IPSEC_DELSPD MAC_UNLBL_STCADD MAC_UNLBL_STCDEL MAC_CALIPSO_ADD MAC_CALIPSO_DEL "
        "CRYPTO_PARAM_CHANGE_USER"
    ),
    ("configuration", "access"): "USER_MAC_POLICY_LOAD",
    ("driver", "start"): "KERN_MODULE",
    ("network", "connection start"): "DAEMON_ACCEPT",
    ("network", "connection end"): "DAEMON_CLOSE",
    ("network", "connection info"): "SOCKADDR SOCKETCALL NETFILTER_PKT",
    ("network", "info"): "ANOM_PROMISCUOUS",
    ("file", "info"): "PATH ANOM_LINK ANOM_CREAT ANOM_ACCESS_FS FS_RELABEL INTEGRITY_DATA FANOTIFY OPENAT2",
    ("host", "start"): "SYSTEM_BOOT",
    ("host", "end"): "SYSTEM_SHUTDOWN",
    ("host", "change"): "SYSTEM_RUNLEVEL TIME_INJOFFSET TIME_ADJNTPVAL",
    ("host", "info"): (
        "VIRT_CONTROL VIRT_RESOURCE VIRT_MACHINE_ID VIRT_INTEGRITY_CHECK VIRT_CREATE VIRT_DESTROY VIRT_MIGRATE_IN "
        "VIRT_MIGRATE_OUT USER_DEVICE"
    ),
    ("package", "info"): "SOFTWARE_UPDATE",
}
"""Categories and types, and the records that have them. All others tell of a process."""


def _columns(categories: str, types: str, name: str) -> Event:
    return {"event_category": categories.split(), "event_type": types.split(), "event_action": name.lower()}


MEANINGS = {name: _columns("process", "info", name) for name in NAMES.values()} | {
    name: _columns(*meaning, name) for meaning, names in _MEANINGS.items() for name in names.split()
}
"""The constant columns of each record."""


def meaning(name: str) -> Event:
    """The constant columns of a record, also of one that we do not know."""
    return MEANINGS.get(name) or _columns("process", "info", name)
