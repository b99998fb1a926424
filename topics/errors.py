"""Defines the errors of this package that callers of any layer catch, all below `OgrewatchError`.

    OgrewatchError
      AccessRefused          waiting would not help: somebody has to change a setting or a right
      KafkaUnavailable       Kafka does not answer
      RegistryRefused        the Schema Registry does not take a schema, or its address is not one
      RegistryUnavailable    the Schema Registry does not answer
      BadSettings            settings are invalid
      CodecError             defined in `topics.avro.wire`
      UnknownSchema          defined in `topics.avro.wire`
      InvalidDeadLetter      defined in `topics.records.deadletter`
      Unsigned               defined in `topics.signing`

Every text is one or more sentences for a person, and holds nothing secret.
"""


class OgrewatchError(Exception):
    """The base of the errors that the project raises on purpose."""


class AccessRefused(OgrewatchError):
    """Kafka or Elasticsearch refuses us, we refuse to send it a secret, or the settings contradict themselves."""

    STATUS = 77
    """Exit code of a command that ends with it: EX_NOPERM of sysexits.h."""


class KafkaUnavailable(OgrewatchError):
    """Kafka does not answer. It is worth another try."""


class RegistryUnavailable(OgrewatchError):
    """No Schema Registry answers, or what answers does not answer like one. It is worth another try."""


class RegistryRefused(OgrewatchError):
    """The Schema Registry does not take a schema, or its address is not one. Another try changes nothing."""


class BadSettings(OgrewatchError, ValueError):
    """Some settings are invalid. The text has a sentence for each, which names the variable and no secret."""

    STATUS = 2
    """Exit code of a command that ends with it."""
