"""Who reads language for a memory: any chat model, on this machine or elsewhere.

A reader needs far less than a `LanguageModel`, every one of which is a reader too: no probabilities, no adapters. It
extracts facts, writes exercises and answers over memories; the weights stay with the memory's own model.
"""

from hybridmem.models.reader.base import CHARACTERS_A_TOKEN as CHARACTERS_A_TOKEN
from hybridmem.models.reader.base import Reader as Reader
from hybridmem.models.reader.base import Reading as Reading
from hybridmem.models.reader.base import RemoteReading as RemoteReading
from hybridmem.models.reader.langchain import ChatModel as ChatModel
from hybridmem.models.reader.langchain import LangChainReader as LangChainReader
from hybridmem.models.reader.names import READERS as READERS
from hybridmem.models.reader.names import load_reader as load_reader
from hybridmem.models.reader.names import require_reader as require_reader
from hybridmem.models.reader.openai_api import OpenAIReader as OpenAIReader
from hybridmem.models.reader.settings import ReaderSettings as ReaderSettings
