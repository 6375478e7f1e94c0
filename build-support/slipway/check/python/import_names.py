"""Modules whose distribution has another name, with the distributions that provide them.

Taken from the packages' own documentation. A name with dots covers itself and what is below it.
"""

from __future__ import annotations

DISTRIBUTIONS: dict[str, tuple[str, ...]] = {
    "_cffi_backend": ("cffi",),
    "_distutils_hack": ("setuptools",),
    "absl": ("absl-py",),
    "apiclient": ("google-api-python-client",),
    "attr": ("attrs",),
    "Bio": ("biopython",),
    "bs4": ("beautifulsoup4",),
    "bson": ("pymongo",),
    "cassandra": ("cassandra-driver",),
    "clip": ("openai-clip", "clip-anytorch"),
    "Crypto": ("pycryptodome", "pycrypto"),
    "Cryptodome": ("pycryptodomex",),
    "cv2": (
        "opencv-python-headless",
        "opencv-python",
        "opencv-contrib-python-headless",
        "opencv-contrib-python",
    ),
    "dateutil": ("python-dateutil",),
    "discord": ("discord-py",),
    "distutils": ("setuptools",),
    "dns": ("dnspython",),
    "docx": ("python-docx",),
    "dotenv": ("python-dotenv",),
    "faiss": ("faiss-cpu", "faiss-gpu"),
    "fasttext": ("fasttext", "fasttext-wheel"),
    "ffmpeg": ("ffmpeg-python",),
    "fitz": ("pymupdf",),
    "git": ("gitpython",),
    "github": ("pygithub",),
    "google.api_core": ("google-api-core",),
    "google.auth": ("google-auth",),
    "google.cloud.bigquery": ("google-cloud-bigquery",),
    "google.cloud.storage": ("google-cloud-storage",),
    "google.protobuf": ("protobuf",),
    "googleapiclient": ("google-api-python-client",),
    "grpc": ("grpcio",),
    "hnswlib": ("hnswlib", "chroma-hnswlib"),
    "igraph": ("igraph", "python-igraph"),
    "imblearn": ("imbalanced-learn",),
    "jose": ("python-jose",),
    "jpype": ("jpype1",),
    "jwt": ("pyjwt",),
    "kafka": ("kafka-python", "kafka-python-ng"),
    "ldap": ("python-ldap",),
    "Levenshtein": ("levenshtein", "python-levenshtein"),
    "llama_cpp": ("llama-cpp-python",),
    "magic": ("python-magic",),
    "MeCab": ("mecab-python3",),
    "mpl_toolkits": ("matplotlib",),
    "MySQLdb": ("mysqlclient",),
    "nacl": ("pynacl",),
    "onnxruntime": ("onnxruntime", "onnxruntime-gpu", "onnxruntime-openvino"),
    "open_clip": ("open-clip-torch",),
    "OpenSSL": ("pyopenssl",),
    "osgeo": ("gdal",),
    "PIL": ("pillow", "pillow-simd"),
    "pkg_resources": ("setuptools",),
    "playhouse": ("peewee",),
    "psycopg2": ("psycopg2-binary", "psycopg2"),
    "pylab": ("matplotlib",),
    "pynvml": ("nvidia-ml-py", "pynvml"),
    "pythoncom": ("pywin32",),
    "pywt": ("pywavelets",),
    "pyximport": ("cython",),
    "ruamel.yaml": ("ruamel-yaml",),
    "serial": ("pyserial",),
    "shapefile": ("pyshp",),
    "skimage": ("scikit-image",),
    "sklearn": ("scikit-learn",),
    "skopt": ("scikit-optimize",),
    "slugify": ("python-slugify",),
    "snappy": ("python-snappy",),
    "socks": ("pysocks",),
    "speech_recognition": ("speechrecognition",),
    "tensorflow": ("tensorflow", "tensorflow-cpu", "tensorflow-intel", "tf-nightly"),
    "tensorrt": ("tensorrt", "tensorrt-cu12", "tensorrt-cu11", "nvidia-tensorrt"),
    "tlz": ("toolz",),
    "turbojpeg": ("pyturbojpeg",),
    "umap": ("umap-learn",),
    "usb": ("pyusb",),
    "websocket": ("websocket-client",),
    "win32api": ("pywin32",),
    "wx": ("wxpython",),
    "xdist": ("pytest-xdist",),
    "xgboost": ("xgboost", "xgboost-cpu"),
    "yaml": ("pyyaml",),
    "zmq": ("pyzmq",),
}
# modules with the name of their distribution
SAME_NAME = frozenset("""
    accelerate aiohttp albumentations altair annoy anyio attrs av babel blosc2 boto3 botocore
    cachetools catboost certifi cffi chardet charset_normalizer click cloudpickle contourpy
    cryptography cupy cycler Cython dask datasets decord diffusers dill einops fastapi filelock
    flask flask_cors fonttools fsspec gensim gluoncv h5py httpx huggingface_hub idna imageio
    inflect inflection jax jaxlib jinja2 joblib jsonschema keras kornia langdetect librosa
    lightgbm lightning llvmlite lxml markdown markupsafe matplotlib mlflow more_itertools mpmath
    msgpack multidict networkx nltk numba numexpr numpy onnx onnx_graphsurgeon openai OpenEXR
    openpyxl opt_einsum orjson packaging pandas parso peft pillow_heif plotly polars
    prometheus_client protobuf psutil pyarrow pycocotools pycparser pydantic pydantic_core
    pygments pymysql pyparsing pypdf pyproj pysbd pytest pytorch_lightning pytz rapidfuzz
    rasterio redis regex requests resampy rich s3fs sacremoses safetensors scipy seaborn
    sentence_transformers sentencepiece sentry_sdk setuptools shap shapely simplejson six
    sounddevice soundfile soxr spacy sqlalchemy starlette statsmodels sympy tabulate tenacity
    tensorboard tensorflow_addons tflite_runtime thefuzz threadpoolctl tifffile tiktoken timm
    tokenizers toml tomlkit toolz torch torchaudio torchvision tornado tqdm transformers
    tritonclient typing_extensions tzdata tzlocal ujson urllib3 uvicorn websockets werkzeug
    wrapt xarray xmltodict xxhash zstandard
    """.split())
