"""Write tests/golden/openmind: a metadata table like OpenMind's, and what nnssl makes of it.

Usage: python tools/golden/openmind.py tests/golden/openmind    (with nnssl and pandas installed)

Numbers, quotes, commas and empty cells are in the table; images are below $nnssl_raw/pool.
"""
import csv
import os
import random
import shutil
import sys
import tempfile
from pathlib import Path

COLUMNS = ("image_path,modality,unique_id,derived_from,image_quality_score,anon_mask_path,anat_mask_path,age,sex,"
           "handedness,race,weight,bmi,health_status,is_brain_extract,manufacturer,model_name,"
           "phase_encoding_direction,magnetic_field_strength,repetition_time,echo_time,extra").split(",")


def maybe(value):
    return value if random.random() < .7 else ""


def row(dataset, subject, session, modality, derived):
    base, name = f"{dataset}/sub-{subject:02d}/{session}", f"sub-{subject:02d}"
    path = base + (f"dwi/{name}_dwi__Data/{modality}.nii.gz" if derived else f"anat/{name}_{modality}.nii.gz")
    mask = f"{os.path.dirname(path)}/deface_mask.nii.gz" if derived else f"{path[:-7]}__Data/deface_mask.nii.gz"
    score = maybe(round(random.uniform(1, 4), 1)) if dataset != "ds000002" else ""
    return [path, modality, f"{dataset}_{subject}_{session}{modality}", derived, score, mask,
            mask.replace("deface", "fb"), maybe(random.randint(18, 80)), maybe("male"), maybe("right"),
            maybe('x, "y"'), maybe(round(random.uniform(50, 90), 2)), "", maybe("healthy \u00e9"),
            random.choice(["True", "False"]), maybe("Siemens"), maybe("Prisma"), maybe("j-"), maybe(3),
            maybe(2.3), maybe(1e-05), "zz"]


def write_table(path):
    random.seed(3)
    with open(path, "w", newline="") as f:
        table = csv.writer(f)
        table.writerow(COLUMNS)
        for dataset in ("ds000003", "ds000001", "ds000002"):
            for subject in range(2):
                for session in ("",) if subject % 3 else ("ses-1/", "ses-2/"):
                    for modality, derived in (("T1w", ""), ("T2w", ""), ("FA", "dwi"), ("MD", "dwi")):
                        if random.random() >= .2:
                            table.writerow(row(dataset, subject, session, modality, derived))


def main(folder):
    with tempfile.TemporaryDirectory() as raw:
        os.environ.update(nnssl_raw=raw, nnssl_preprocessed=raw + "_pp", nnssl_results=raw + "_res")
        os.makedirs(f"{raw}/pool/OpenMind")
        write_table(f"{raw}/pool/openneuro_metadata.csv")
        from nnssl.dataset_conversion import Dataset001_OpenMind
        Dataset001_OpenMind._create_pretrain_json(Path(raw) / "pool")
        shutil.copy(f"{raw}/pool/openneuro_metadata.csv", f"{folder}/metadata.csv")
        shutil.copy(f"{raw}/Dataset745_OpenMind/pretrain_data.json", folder)


main(sys.argv[1])
