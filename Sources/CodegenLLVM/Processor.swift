import CLLVM
import Codegen
import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// The processor that code is made for.
struct Processor: Hashable, Sendable {
  let triple: Triple
  /// LLVM's name of the processor that says which instructions there are.
  var name: String
  /// LLVM's name of the processor whose timing code is arranged for; nil: that of `name`.
  var tuning: String?
  /// What is added to and removed from the named processor's features, in LLVM's notation.
  var featureText = ""
  /// The features that code may use, in LLVM's names; of those that change vector code or that the artifact checks.
  var features: Set<String> = []
  var isHost = false
  /// Whether code may multiply bf16 where the processor has instructions for it; in it, numbers below 2^-126 that become bf16
  /// are zero.
  var multipliesBFloats = false
  /// The products of its tile registers, which code asks for before it uses them.
  var tileFormats: Set<TileFormat> = []

  /// LLVM keeps its targets in a list that two threads must not add to at the same time.
  private static let registration = Mutex(())

  private static func registerTargets(forHost: Bool) {
    guard !forHost else {
      _ = LLVMInitializeNativeTarget()
      _ = LLVMInitializeNativeAsmPrinter()
      _ = LLVMInitializeNativeAsmParser()
      return
    }
    LLVMInitializeAllTargetInfos()
    LLVMInitializeAllTargets()
    LLVMInitializeAllTargetMCs()
    LLVMInitializeAllAsmPrinters()
    LLVMInitializeAllAsmParsers()
  }

  /// The processor called `native` (this machine's) or by LLVM's name of it; nil: `native` on this machine, the least of
  /// another one.
  init(named name: String?, _ triple: Triple, multipliesBFloats: Bool = false) throws(LLVMError) {
    self.triple = triple
    self.multipliesBFloats = multipliesBFloats
    let isNative = name == "native" || name == nil && triple.isHost
    guard triple.isHost || !isNative else {
      throw LLVMError("native is the processor of \(Triple.host), code is made for \(triple)")
    }
    Self.registration.withLock { _ in Self.registerTargets(forHost: triple.isHost) }
    self.name = name ?? ""
    isHost = isNative
    switch triple.architecture {
    case .x86 where isNative: useX86Host()
    case .x86: try useX86(name ?? "x86-64-v2")
    case .aarch64 where isNative: useARMHost()
    case .aarch64: try useARM(name ?? Self.genericName)
    case nil: throw LLVMError("no code can be made for \(triple)")
    }
    guard triple.architecture == .x86 else { return }
    let missing = ["ssse3", "sse4.1", "sse4.2", "popcnt"].filter { !features.contains($0) }
    guard missing.isEmpty else {
      throw LLVMError(
        "processor \(self.name) is unknown or older than x86-64-v2: it has no \(missing.joined(separator: ", "))")
    }
  }

  /// Any processor of the kind, for code that computes nothing.
  var baseline: Processor {
    var processor = self
    processor.name = isX86 ? "x86-64" : Self.genericName
    processor.tuning = nil
    processor.featureText = ""
    processor.features = []
    processor.tileFormats = []
    processor.isHost = false
    return processor
  }

  var isX86: Bool { triple.architecture == .x86 }

  /// The features that code may use, each of which the artifact can look for when it is loaded.
  var knownFeatures: [String] {
    isX86 ? Self.x86Features + (multipliesBFloats ? [Self.bfloatFeature] : []) : Self.armFeatures
  }

  // MARK: x86-64

  private static let x86Features: [String] = [
    "sse3", "ssse3", "sse4.1", "sse4.2", "popcnt", "cx16", "sahf", "movbe", "lzcnt", "bmi", "bmi2", "f16c", "fma",
    "avx", "avx2", "avx512f", "avx512cd", "avx512bw", "avx512dq", "avx512vl", "avx512ifma", "avx512vbmi",
    "avx512vbmi2", "avx512vnni", "avx512bitalg", "avx512vpopcntdq",
  ]

  private static let bfloatFeature = "avx512bf16"
  /// Processors with this one (Sapphire Rapids and later) take four operations for a product of pairs of bf16, and so twice as
  /// long as for those of f32.
  private static let slowBFloatFeature = "avx512fp16"

  private static let tileFeatures = ["amx-tile"] + TileFormat.allCases.map(\.featureName)

  private static func tileFormats(among features: Set<String>) -> Set<TileFormat> {
    features.contains("amx-tile") ? Set(TileFormat.allCases.filter { features.contains($0.featureName) }) : []
  }

  private mutating func useX86Host() {
    let found = Self.hostFeatures
    features = found.intersection(knownFeatures)
    if found.contains(Self.slowBFloatFeature) { features.remove(Self.bfloatFeature) }
    tileFormats = Self.tileFormats(among: found)
    featureText = Self.text(of: features, among: knownFeatures)
    // The level decides how code is scheduled; what it may use is in the features.
    name = has512BitVectors ? "x86-64-v4" : features.contains("avx2") ? "x86-64-v3" : "x86-64-v2"
  }

  private mutating func useX86(_ name: String) throws(LLVMError) {
    self.name = name
    // LLVM ends the process where it does not know a processor's name and 64-bit code is wanted.
    featureText = "+64bit"
    let others = Self.tileFeatures + [Self.slowBFloatFeature]
    let found = try Self.features(of: self, among: knownFeatures + others, beside: "x86-64")
    features = found.subtracting(others)
    if found.contains(Self.slowBFloatFeature) { features.remove(Self.bfloatFeature) }
    tileFormats = Self.tileFormats(among: found)
  }

  // MARK: AArch64

  /// NEON and the conversions of f16 are in every processor.
  private static let armFeatures = ["bf16"]
  private static let genericName = "generic"

  private mutating func useARMHost() {
    useARM(tuning: LLVMText.take(LLVMGetHostCPUName()), Self.hostFeatures)
  }

  private mutating func useARM(_ name: String) throws(LLVMError) {
    guard !name.isEmpty else { throw LLVMError("the processor for \(triple) has no name") }
    self.name = name
    let found = try Self.features(of: self, among: Self.armFeatures + ["neon"], beside: name)
    guard found.contains("neon") else { throw LLVMError("processor \(name) is unknown for \(triple)") }
    useARM(tuning: name, found)
  }

  /// A processor's own name would give LLVM all that it can do, also what the artifact does not look for.
  private mutating func useARM(tuning: String, _ found: Set<String>) {
    name = Self.genericName
    self.tuning = tuning == Self.genericName ? nil : tuning
    features = found.intersection(Self.armFeatures)
    featureText = Self.text(of: features, among: Self.armFeatures)
  }

  // MARK: What there is

  var has512BitVectors: Bool {
    ["avx512f", "avx512vl", "avx512bw", "avx512dq"].allSatisfy(features.contains)
  }

  var hasMultiplyAdd: Bool { !isX86 || features.contains("fma") }
  var hasHalfConversion: Bool { !isX86 || features.contains("f16c") }
  /// Whether an instruction rounds f32 to bf16.
  var hasBFloatConversion: Bool { features.contains("bf16") || hasBFloatProducts }
  /// Whether an instruction multiplies pairs of bf16 and adds the products to f32, in less time than one for f32 takes.
  var hasBFloatProducts: Bool { has512BitVectors && features.contains(Self.bfloatFeature) }
  /// Whether an instruction gives the larger or smaller operand, NaN where one is, and orders zeros by their signs.
  var hasExtremum: Bool { !isX86 }
  /// Whether loads or stores of elements of so many bits ask first whether all lanes of their mask hold. Without an instruction
  /// for masks LLVM asks for each lane, and the one of AVX takes a store apart on some processors.
  func branchesOnMasks(bitWidth: Int, stores: Bool) -> Bool {
    guard isX86 else { return true }
    return !has512BitVectors && (stores || bitWidth < 32 || !features.contains("avx"))
  }
  var hasGather: Bool { features.contains("avx2") }
  var hasScatter: Bool { has512BitVectors }

  /// What schedules know of the processor.
  var target: Target {
    let vectorByteCount = has512BitVectors ? 64 : features.contains("avx") ? 32 : 16
    let registerCount = has512BitVectors || !isX86 ? 32 : 16
    var target = Target(
      cpu: tuning ?? name, vectorByteCount: vectorByteCount, vectorRegisterCount: registerCount,
      hasMultiplyAdd: hasMultiplyAdd, hasLookup: has512BitVectors, tileFormats: tileFormats)
    target.hasPowersOfTwo = has512BitVectors
    target.hasBFloatProducts = hasBFloatProducts
    target.halvesWords = isX86 && !features.contains("avx512vnni")
    if !tileFormats.isEmpty {
      // All processors with tiles have such caches.
      target.l1ByteCount = 48 << 10
      target.l2ByteCount = 2 << 20
    }
    if !isX86 {
      target.hasLaneFactors = true
      // Caches of a phone; a server's are larger.
      target.l2ByteCount = 512 << 10
      target.l3ByteCount = 4 << 20
    }
    #if canImport(Glibc)
      if isHost {
        let (l1, l2) = (sysconf(Int32(_SC_LEVEL1_DCACHE_SIZE)), sysconf(Int32(_SC_LEVEL2_CACHE_SIZE)))
        if let l3 = Self.sharedCacheByteCount { target.l3ByteCount = l3 }
        if l1 > 0 { target.l1ByteCount = l1 }
        if l2 > 0 { target.l2ByteCount = l2 }
      }
    #endif
    return target
  }

  #if canImport(Glibc)
    /// The third-level cache that this machine's first processor shares; the C library counts those of all parts of a chip
    /// together.
    private static var sharedCacheByteCount: Int? {
      for index in 0..<8 {
        let folder = "/sys/devices/system/cpu/cpu0/cache/index\(index)/"
        guard firstWord(of: folder + "level") == "3", let size = firstWord(of: folder + "size"), size.hasSuffix("K")
        else { continue }
        return Int(size.dropLast()).map { $0 << 10 }
      }
      let size = sysconf(Int32(_SC_LEVEL3_CACHE_SIZE))
      return size > 0 ? size : nil
    }

    private static func firstWord(of path: String) -> String? {
      guard let file = fopen(path, "r") else { return nil }
      defer { fclose(file) }
      var buffer = [CChar](repeating: 0, count: 64)
      guard fgets(&buffer, Int32(buffer.count), file) != nil else { return nil }
      return buffer.withUnsafeBytes { String(decoding: $0.prefix { $0 > 32 }, as: UTF8.self) }
    }
  #endif

  // MARK: Features

  /// Those of this machine.
  private static var hostFeatures: Set<String> {
    let enabled = LLVMText.take(LLVMGetHostCPUFeatures()).split(separator: ",").filter { $0.hasPrefix("+") }
    return Set(enabled.map { String($0.dropFirst()) })
  }

  /// The known features that there are added, the others removed.
  private static func text(of features: Set<String>, among known: [String]) -> String {
    known.map { (features.contains($0) ? "+" : "-") + $0 }.joined(separator: ",")
  }

  /// Those of the features that a processor named to LLVM has; it has all that `base` has.
  ///
  /// LLVM's C interface does not tell; but its inliner puts a function into another only where the caller has all
  /// features of the callee.
  private static func features(of processor: Processor, among candidates: [String], beside base: String)
    throws(LLVMError) -> Set<String>
  {
    let machine = try LLVMMachine(processor)
    let probe = LLVMModule(name: "features", machine: machine)
    let void: LLVMTypeRef = LLVMVoidTypeInContext(probe.context)
    let type: LLVMTypeRef = LLVMFunctionType(void, nil, 0, 0)
    let external: LLVMValueRef = LLVMAddFunction(probe.module, "external", type)

    func begin(_ name: String) -> LLVMValueRef {
      let function: LLVMValueRef = LLVMAddFunction(probe.module, name, type)
      LLVMPositionBuilderAtEnd(probe.builder, LLVMAppendBasicBlockInContext(probe.context, function, ""))
      return function
    }
    func setAttribute(_ function: LLVMValueRef, _ key: String, _ value: String) {
      let attribute = LLVMCreateStringAttribute(
        probe.context, key, UInt32(key.utf8.count), value, UInt32(value.utf8.count))
      LLVMAddAttributeAtIndex(function, UInt32.max, attribute)
    }
    func call(_ function: LLVMValueRef) { _ = LLVMBuildCall2(probe.builder, type, function, nil, 0, "") }

    var callees: [LLVMValueRef] = []
    for feature in candidates {
      let callee = begin(feature)
      setAttribute(callee, "target-cpu", base)
      setAttribute(callee, "target-features", "+\(feature)")
      call(external)
      LLVMBuildRetVoid(probe.builder)
      callees.append(callee)
    }
    let caller = begin("caller")
    setAttribute(caller, "target-cpu", processor.name)
    setAttribute(caller, "target-features", processor.featureText)
    for callee in callees { call(callee) }
    LLVMBuildRetVoid(probe.builder)
    try probe.optimize(machine, pipeline: "cgscc(inline)")

    var found = Set(candidates)
    var instruction = LLVMGetFirstInstruction(LLVMGetEntryBasicBlock(caller))
    while let current = instruction {
      if LLVMGetInstructionOpcode(current) == LLVMCall, let called = LLVMGetCalledValue(current),
        let position = callees.firstIndex(of: called)
      {
        found.remove(candidates[position])
      }
      instruction = LLVMGetNextInstruction(current)
    }
    return found
  }
}
