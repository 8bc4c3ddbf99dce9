internal import ArgumentParser
internal import Driver

/// The options that say how a graph is compiled.
struct CompileOptions: ParsableArguments {
  @Option(help: "The function to compile; without it, `main` or the first public one.")
  var function: String?

  @Option(
    name: .customLong("gradient"),
    help: ArgumentHelp(
      """
      Returns the gradients of the first result, which must be one float, with respect to these inputs too, as grad_NAME; may \
      be repeated.
      """, valueName: "name,…"))
  var gradients: [String] = []

  @Option(
    help: ArgumentHelp(
      """
      What the library runs on: cpu; opencl, a device with an OpenCL driver; opencl,cpu: such a device where there is one, \
      else the CPU.
      """, valueName: "target"))
  var target = "cpu"

  @Option(
    help: ArgumentHelp(
      """
      With --target opencl, the device that kernels are made for: native (the one that is used here; TFC_OPENCL_DEVICE \
      names another) or a file with what `tfc devices` says of one. Without it, the kernels fit every device; those of sine, power and a few others of f32 need \
      f64, except in kernels made for a device whose file says that it has none.
      """, valueName: "native|file"))
  var device: String?

  @Option(
    help: ArgumentHelp(
      """
      The machine that the library is for: x86_64-linux-gnu or aarch64-linux-gnu. Without it, this one. Another one needs \
      a C compiler for it, as gcc-aarch64-linux-gnu, and runs nothing here.
      """, valueName: "triple"))
  var triple: String?

  @Option(
    help: ArgumentHelp(
      """
      The processor: native (this one), x86-64-v2, x86-64-v3, x86-64-v4, generic (any AArch64), or LLVM's name of one, as \
      cortex-a76. Without it, native; with --triple for another machine x86-64-v2 or generic.
      """, valueName: "cpu"))
  var cpu: String?

  @Option(
    help: ArgumentHelp(
      """
      How exact products and sums of f32 are. f32: errors like those of a sum in f32. f32-strict: the graph's products, one by \
      one, in f32. fast: operands may be rounded to 16 bits. bf16: operands may be rounded to bf16, and numbers below \
      2^-126 to zero, on processors with AMX, or with AVX512_BF16 and without AVX512_FP16, such as Zen 4. On OpenCL \
      devices all four compute in f32, but for fast and bf16 in kernels made for a device with tensor instructions \
      (--device).
      """))
  var precision = "f32"

  @Option(
    name: .customLong("dim"),
    help: ArgumentHelp(
      "Fixes a symbolic extent (batch=8) or bounds it (seq=1..512, seq=1..).", valueName: "symbol=value"))
  var dimensions: [String] = []

  @Flag(name: .customLong("no-fuse"), help: "Makes each op a kernel of its own.")
  var isUnfused = false

  @Flag(name: .customLong("no-cache"), help: "Compiles everything anew, and keeps nothing in the user's cache folder.")
  var avoidsCache = false

  @Flag(name: .customLong("no-openblas"), help: "Uses tfc's own code for products only, as it always does.")
  var avoidsOpenBLAS = false

  @Option(
    help: ArgumentHelp(
      "Uses the schedules that --tune of compile or bench found to be fastest and wrote into this file.",
      valueName: "file"))
  var tuning: String?

  @Option(
    name: .customLong("dump-after"),
    help: ArgumentHelp(
      "Prints the graph on standard error after a pass, or after import; may be repeated.", valueName: "pass"))
  var dumpsAfter: [String] = []

  @Flag(help: "Prints how long each stage took on standard error.")
  var timePasses = false

  @Flag(help: "Prints on standard error what was fused, what was not, and why.")
  var explain = false

  @Flag(help: "Verifies the graph after each pass, and what LLVM is given.")
  var verify = false

  /// The options as the driver takes them.
  func options() throws -> Options {
    var options = Options()
    options.function = function
    options.gradients = gradients.flatMap { names in
      names.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    }
    guard let target = Options.Target(rawValue: target) else {
      throw ValidationError("--target \(target) is not supported; expected cpu, opencl or opencl,cpu")
    }
    options.target = target
    options.device = device
    options.triple = triple
    options.cpu = cpu
    guard let precision = Options.Precision(rawValue: precision) else {
      throw ValidationError("--precision \(precision) is not supported; expected f32, f32-strict, fast or bf16")
    }
    options.precision = precision
    options.dimensions = try dimensions.map { text in
      guard let dimension = Options.Dimension(text) else {
        throw ValidationError("--dim \(text) is not understood; expected symbol=8, symbol=1..512 or symbol=1..")
      }
      return dimension
    }
    options.fuses = !isUnfused
    options.tuningFile = tuning
    options.usesCache = !avoidsCache
    options.dumpsAfter = dumpsAfter
    options.timesPasses = timePasses
    options.explains = explain
    options.verifies = verify
    return options
  }
}
