# bench/: the tools around `voxmind bench`, with programs that only pretend to measure. What they
# do with PyTorch is not asked here: it need not be there.
. "$(dirname "$0")/../support/tap.sh"
bench=$source/bench
command -v python3 >/dev/null || skip_all "there is no python3"

# pretender <name> <ms of a step> <ms of an op>...: the op's figures one after the other
pretender() {
    local name=$1 step=$2
    shift 2
    printf '%s\n' "$@" >"$name.ops"
    cat >"$name" <<SH
#!/bin/sh
case \$2 in
step) echo '{"bench":"step","threads":2,"cpu":"avx512","ms":[$step,$step],"ms_median":$step,"ms_update":1,"peak_gflops":100,"share_of_peak":0.5}' ;;
ops)
    ms=\$(head -n 1 $PWD/$name.ops)
    { sed 1d $PWD/$name.ops; echo "\$ms"; } >$PWD/$name.new
    mv $PWD/$name.new $PWD/$name.ops
    for pass in forward data; do
        echo '{"bench":"ops","op":"conv3d","problem":"1x8x4x4x4","pass":"'\$pass'","kernel":"conv3d","count":3,"threads":2,"cpu":"avx512","repeat":5,"ms_median":'\$ms',"ms_min":'\$ms',"gflop":1,"gflops":50,"gbytes":2,"peak_gflops":200,"share_of_peak":0.25}'
    done ;;
esac
SH
    chmod +x "$name"
}

for tool in step ops data compare; do
    exits 0 "bench/$tool --help" "$bench/$tool" --help
    says stdout "says how it is called" "usage: $tool"
done
for tool in step ops; do
    exits 1 "bench/$tool without PyTorch" env -i PATH="$PATH" python3 -S "$bench/$tool"
    says stderr "says what to install" "pip install torch dynamic-network-architectures"
done

exits 1 "bench/data without its packages" env -i PATH="$PATH" python3 -S "$bench/data"
says stderr "says what to install" "pip install scikit-image nibabel blosc2"

pretender a 100 10 11 12
pretender b 120 11 12 13
pretender c 120 14 15 16
exits 0 "bench/compare of a slower program" "$bench/compare" ./a ./b --rounds 3
says stdout "the step is slower in every round" '"what": "step", "a_ms": [100, 100, 100], "b_ms": [120, 120, 120], "ratio": 1.2, "flag": "slower"'
says stdout "the op is within the noise" '"what": "conv3d 1x8x4x4x4 data", "a_ms": [10, 11, 12], "b_ms": [11, 12, 13], "ratio": 1.0909, "flag": null'
says stderr "the flagged one is listed" "slower  1.200"
exits 0 "an op slower in every round" "$bench/compare" ./a ./c --rounds 3 --no-step
says stdout "is flagged" '"ratio": 1.3636, "flag": "slower"'
exits 0 "and one faster" "$bench/compare" ./c ./a --rounds 3 --no-ops
says stdout "is flagged, too" '"ratio": 0.8333, "flag": "faster"'
exits 0 "two rounds know no noise" "$bench/compare" ./a ./b --rounds 2 --no-ops
says stdout "and flag nothing" '"flag": null'
exits 0 "below the ratio that fails" "$bench/compare" ./a ./b --rounds 3 --fail-over 1.3
exits 1 "above it" "$bench/compare" ./a ./b --rounds 3 --fail-over 1.1
exits 1 "what is no commit and no program" "$bench/compare" nonsense ./a
says stderr "is named" "nonsense is neither"
printf '#!/bin/sh\necho "no such bench" >&2\nexit 2\n' >broken && chmod +x broken
exits 1 "a program that fails" "$bench/compare" ./a ./broken
says stderr "is named with what it was asked" "broken bench step"

exits 0 "bench/step without the peer" "$bench/step" --setting none --program ./a --rounds 2
says stdout "sums up" '"steps": 4, "ms_median": 100'
cp stdout rounds
echo '{"bench": "step", "side": "pytorch", "setting": "keep", "round": 1, "patch": 64, "batch": 1, "threads": 2, "cpu": "avx512", "ms": [290, 300, 310], "rss_mib": 4000, "other_cpu": 0.5}' >>rounds
echo '{"bench": "step", "side": "pytorch", "setting": "keep", "round": 0, "patch": 64, "batch": 1, "threads": 2, "cpu": "avx512", "ms": [9], "rss_mib": 1, "other_cpu": 0}' >>rounds
sed -i "s/\"threads\": [0-9]*/\"threads\": 2/" rounds
exits 0 "rounds of several times" "$bench/step" --summary rounds
says stdout "amount to ratios; a trial round does not count" '"ms_median": 300, "ms_min": 290, "ms_max": 310, "rss_mib": 4000, "other_cpu": 0.5, "times_slower": 3.0'
exits 0 "of undisturbed processes only" "$bench/step" --summary rounds --other-cpu 0.4
lacks stdout "the disturbed one is left out" pytorch

exits 0 "bench/ops without the peer" "$bench/ops" --no-peer --program ./a --rounds 3 --table
says stdout "medians of the rounds" '"rounds": 3, "ms": 11, "gflops": 90.9'
says stdout "and the sum of a step" '"bench": "ops_sum"'
says stderr "a table" "1x8x4x4x4"
exits 0 "bench/ops of some problems" "$bench/ops" --no-peer --program ./a --match 'pool' --rounds 1
lacks stdout "leaves out the others" conv3d
grep '"round"' rounds >/dev/null
pretender d 1 11
"$bench/ops" --no-peer --program ./d --rounds 1 | sed 's/"round": 1/"round": 1, "torch_ms": 44, "torch_format": "contiguous_format"/' >rounds
exits 0 "rounds of several times" "$bench/ops" --summary rounds
says stdout "amount to ratios" '"ms": 11, "gflops": 90.9, "share_of_peak": 0.4545, "gbytes": 2, "torch_ms": 44, "ratio": 4.0}'

exits 0 "what a problem's text says" python3 -B -c "
import sys; sys.path.insert(0, '$bench')
import peer_ops
assert peer_ops.parse('1x32x4x4x4 out=16 stride=2 in=0,1,3 in3=1x8x4x4x4') == (
    [1, 32, 4, 4, 4], {'out': '16', 'stride': '2'}, [0, 1, 3], {3: [1, 8, 4, 4, 4]})
assert peer_ops.triple({'kernel': '1,3,5'}, 'kernel', 3) == [1, 3, 5]
assert peer_ops.triple({}, 'pad', 1) == [1, 1, 1]
assert peer_ops.calls(None, 'gather', '1x2', None) == {}
for op, active in ('conv3d', 4), ('norm_act', 4), ('avg_pool3d', 1):  # masks it has not
    assert peer_ops.calls(None, op, f'1x8x4x4x4 in=0,1,{active}', None) == {}
    assert peer_ops.calls(None, op, f'1x8x4x4x4 in{active}=1x1x2x2x2', None) == {}
"
exits 0 "the peer's environment is free of tuning" env OPENBLAS_CORETYPE=Haswell OMP_NUM_THREADS=1 python3 -B -c "
import sys; sys.path.insert(0, '$bench')
import peer
assert not [k for k in peer.environment() if k.startswith(('OPENBLAS', 'OMP', 'ONEDNN', 'GLIBC'))]
assert peer.environment('keep', 'avx2')['ONEDNN_MAX_CPU_ISA'] == 'AVX2'
assert 'GLIBC_TUNABLES' in peer.environment('keep', 'avx2')
"
plan
