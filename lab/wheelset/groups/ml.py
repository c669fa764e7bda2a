"""Machine learning: trees, embeddings, searches, language models without their weights."""

from __future__ import annotations

from inspect import cleandoc as code

from .model import Group

GROUPS: dict[str, Group] = {
    "ml": Group(
        (
            "xgboost-cpu",
            "lightgbm",
            "catboost",
            "onnxruntime",
            "onnx",
            "skl2onnx",
            "shap",
            "optuna",
            "umap-learn",
            "imbalanced-learn",
            "gensim",
            "mlflow-skinny",
        ),
        {
            "xgboost": code("""
                import xgboost as x, numpy as n
                m = x.XGBRegressor(n_estimators=3).fit(n.eye(8), n.arange(8))
                m.save_model('m.json'); assert m.get_booster().get_dump()
            """),
            "lightgbm": code("""
                import lightgbm as g, numpy as n
                m = g.LGBMClassifier(n_estimators=3, verbose=-1).fit(n.random.rand(60, 3),
                                                                     [0, 1] * 30)
                m.booster_.save_model('m.txt'); assert len(m.predict(n.zeros((2, 3)))) == 2
            """),
            "catboost": code("""
                import catboost as c, numpy as n
                m = c.CatBoostClassifier(iterations=3, verbose=False).fit(n.eye(8), [0, 1] * 4)
                m.save_model('m.cbm'); m.save_model('m.json', format='json')
                from catboost import datasets, utils
                assert c.metrics.Logloss()
            """),
            "onnxruntime runs a model of scikit-learn": code("""
                import numpy as n, onnxruntime as o
                from skl2onnx import to_onnx
                from sklearn.linear_model import LogisticRegression as L
                x = n.random.rand(20, 3).astype('float32')
                b = to_onnx(L().fit(x, [0, 1] * 10), x[:1]).SerializeToString()
                s = o.InferenceSession(b, providers=['CPUExecutionProvider'])
                assert len(s.run(None, {s.get_inputs()[0].name: x})[0]) == 20
            """),
            "onnxruntime optimises and quantises": code("""
                import onnx.helper as h, onnx, numpy as n
                w = h.make_tensor('w', 1, [4, 4], n.ones(16).tolist())
                i, o = (h.make_tensor_value_info(k, 1, [1, 4]) for k in 'io')
                g = h.make_graph([h.make_node('MatMul', ['i', 'w'], ['o'])], 'g', [i], [o], [w])
                m = h.make_model(g, opset_imports=[h.make_opsetid('', 17)], ir_version=8)
                onnx.save(m, 'm.onnx')
                from onnxruntime.quantization import quantize_dynamic
                quantize_dynamic('m.onnx', 'q.onnx')
                import onnxruntime.transformers.optimizer, onnxruntime.tools
            """),
            "onnx checks, infers and evaluates": code("""
                import onnx, onnx.helper as h, numpy as n
                from onnx.reference import ReferenceEvaluator as R
                i, o = (h.make_tensor_value_info(k, 1, [2]) for k in 'io')
                m = h.make_model(h.make_graph([h.make_node('Relu', ['i'], ['o'])], 'g', [i], [o]))
                onnx.checker.check_model(m); onnx.shape_inference.infer_shapes(m)
                assert R(m).run(None, {'i': n.array([-1, 1], 'float32')})[0][1] == 1
                assert onnx.defs.get_schema('Relu').doc
            """),
            "shap explains trees and plots": code("""
                import matplotlib; matplotlib.use('Agg')
                import shap, numpy as n
                from sklearn.ensemble import RandomForestRegressor as R
                x = n.random.rand(30, 3); m = R(5).fit(x, x[:, 0])
                e = shap.TreeExplainer(m)(x)
                shap.plots.beeswarm(e, show=False); shap.plots.waterfall(e[0], show=False)
                shap.save_html('f.html', shap.plots.force(e[0]))
            """),
            "shap in words and images": code("""
                import shap, numpy as n
                e = shap.Explanation(n.ones(2), 0.0, data=n.array(['a ', 'b']))
                assert 'a' in shap.plots.text(e, display=False)
            """),
            "optuna searches and stores": code("""
                import optuna
                optuna.logging.set_verbosity(optuna.logging.ERROR)
                s = optuna.create_study(storage='sqlite:///a.db', study_name='a')
                s.optimize(lambda t: t.suggest_float('x', -1, 1) ** 2, n_trials=5)
                assert optuna.load_study(study_name='a', storage='sqlite:///a.db').best_value < 1
                import optuna.visualization.matplotlib
            """),
            "optuna upgrades its tables": code("""
                import optuna.storages as s
                r = s.RDBStorage('sqlite:///b.db'); assert r.get_all_versions(); r.upgrade()
            """),
            "umap": code("""
                import umap, numpy as n
                assert umap.UMAP(n_neighbors=5, n_epochs=5).fit_transform(
                    n.random.rand(40, 4)).shape == (40, 2)
            """),
            "imbalanced-learn": code("""
                from imblearn.over_sampling import SMOTE
                from sklearn.datasets import make_classification as m
                x, y = m(200, weights=[0.9], random_state=0)
                assert len(SMOTE().fit_resample(x, y)[0]) > 200
                import imblearn.utils.estimator_checks
            """),
            "gensim": code("""
                from gensim.models import Word2Vec, LdaModel
                from gensim.corpora import Dictionary
                from gensim.test.utils import common_texts
                m = Word2Vec(common_texts, vector_size=8, min_count=1); m.save('w')
                d = Dictionary(common_texts)
                LdaModel([d.doc2bow(t) for t in common_texts], 2, d)
            """),
            "gensim finds its test data": code("""
                from gensim.test.utils import datapath
                import os; assert os.path.isdir(os.path.dirname(datapath('')))
                from gensim.models import fasttext, doc2vec, nmf, hdpmodel
            """),
            "mlflow records a run": code("""
                import os; os.environ['MLFLOW_ALLOW_FILE_STORE'] = 'true'
                import mlflow; mlflow.set_tracking_uri('file:runs')
                with mlflow.start_run(): mlflow.log_metric('a', 1)
            """),
        },
    ),
    "transformers": Group(
        (
            "transformers",
            "tokenizers",
            "datasets",
            "accelerate",
            "peft",
            "safetensors",
            "sentencepiece",
            "torch==2.13.0+cpu",
        ),
        {
            "a tiny BERT": code("""
                import torch, transformers as t
                c = t.BertConfig(vocab_size=20, hidden_size=8, num_hidden_layers=1,
                                 num_attention_heads=2, intermediate_size=8)
                m = t.BertModel(c); m.save_pretrained('m')
                assert t.AutoModel.from_pretrained('m')(torch.tensor([[1, 2]]))[0].shape[2] == 8
            """),
            "a tiny GPT-2 writes": code("""
                import torch, transformers as t
                c = t.GPT2Config(vocab_size=20, n_embd=8, n_layer=1, n_head=2, n_positions=16,
                                 bos_token_id=0, eos_token_id=1, pad_token_id=1)
                m = t.AutoModelForCausalLM.from_config(c)
                assert m.generate(torch.tensor([[2]]), max_new_tokens=3).shape[0] == 1
            """),
            "a tiny Llama in its chat template": code("""
                import transformers as t, tokenizers as k
                z = k.Tokenizer(k.models.WordLevel({'[UNK]': 0, 'a': 1}, '[UNK]'))
                z.pre_tokenizer = k.pre_tokenizers.Whitespace()
                f = t.PreTrainedTokenizerFast(tokenizer_object=z, unk_token='[UNK]')
                f.chat_template = '{% for m in messages %}{{ m.content }}{% endfor %}'
                assert f.apply_chat_template([{'role': 'user', 'content': 'a'}], tokenize=False)
                c = t.LlamaConfig(vocab_size=20, hidden_size=8, intermediate_size=8,
                                  num_hidden_layers=1, num_attention_heads=2)
                import torch; t.LlamaForCausalLM(c)(torch.tensor([[1]]))
            """),
            "every automatic model is importable": code("""
                import transformers.models.auto.modeling_auto as a, transformers as t
                n = list(a.MODEL_MAPPING_NAMES.values())[:400:16]
                for k in n: getattr(t, k if isinstance(k, str) else k[0])
            """),
            "the trainer trains": code("""
                import torch, transformers as t
                c = t.BertConfig(vocab_size=20, hidden_size=8, num_hidden_layers=1,
                                 num_attention_heads=2, intermediate_size=8)
                d = [{'input_ids': [1, 2], 'labels': 0}, {'input_ids': [2, 1], 'labels': 1}]
                a = t.TrainingArguments('out', num_train_epochs=1, report_to=[], use_cpu=True)
                t.Trainer(t.BertForSequenceClassification(c), a, train_dataset=d).train()
            """),
            "peft adapts": code("""
                import transformers as t, peft
                c = t.GPT2Config(vocab_size=20, n_embd=8, n_layer=1, n_head=2)
                m = peft.get_peft_model(t.GPT2LMHeadModel(c), peft.LoraConfig(
                    task_type='CAUSAL_LM', target_modules=['c_attn'], fan_in_fan_out=True))
                m.save_pretrained('p')
            """),
            "tokenizers train": code("""
                from tokenizers import ByteLevelBPETokenizer as B
                z = B(); z.train_from_iterator(['a b a b'], vocab_size=300)
                assert z.encode('a b').ids
            """),
            "datasets map and save": code("""
                import datasets as d
                x = d.Dataset.from_dict({'a': [1, 2]}).map(lambda r: {'b': r['a'] * 2})
                x.save_to_disk('d'); assert d.load_from_disk('d')['b'][1] == 4
                open('a.csv', 'w').write('a\\n1\\n')
                assert len(d.load_dataset('csv', data_files='a.csv', cache_dir='c')['train']) == 1
            """),
            "accelerate": code("""
                import accelerate, torch
                a = accelerate.Accelerator(cpu=True); m = a.prepare(torch.nn.Linear(1, 1))
                with accelerate.init_empty_weights(): torch.nn.Linear(9, 9)
                import accelerate.test_utils
            """),
            "sentencepiece": code("""
                import sentencepiece as s, io
                m = io.BytesIO()
                s.SentencePieceTrainer.train(sentence_iterator=iter(['a b c d e'] * 9),
                                             model_writer=m, vocab_size=10)
                assert s.SentencePieceProcessor(model_proto=m.getvalue()).encode('a b')
            """),
            "the command line": code("""
                import subprocess, shutil
                subprocess.run([shutil.which('transformers'), '--help'], check=True,
                               capture_output=True)
                subprocess.run([shutil.which('accelerate'), 'env'], check=True,
                               capture_output=True)
            """),
        },
    ),
}
