"""Submits a patient, exactly like the cURL line of the README. Run from this folder, with the registry started by `npm start`:

    pip3 install requests_pkcs12
    python3 simple_query.py
"""

from pathlib import Path

# requests, modified to take .p12 files
from requests_pkcs12 import post

clientcert_folder = Path("../server/sampleclientcertificates")
clientcert = clientcert_folder / "openmrs.p12"

servercert_folder = Path("../server/certificates")
servercert = servercert_folder / "server_cert.pem"

payload_folder = Path("../DemoData/")
payload = (payload_folder / "patient1_openmrs.json").read_bytes()

headers = {"Content-Type": "application/json"}
response = post(
    "https://localhost:3000/addPatient",
    headers=headers,
    data=payload,
    pkcs12_filename=clientcert,
    pkcs12_password="",
    verify=servercert,
)
print(response)
print("The record: ", response.headers["Location"])
print("The person: ", response.headers["LocationCRUID"])
