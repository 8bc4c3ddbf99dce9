extension Pass {
  /// The passes from an imported function to one whose nodes are kernels, in order.
  ///
  /// - resolve first: the others see neither calls nor shapes that the graph computes.
  /// - expand before canonicalize: what the expansions say twice is shared, and their constants are folded.
  /// - integer-products before canonicalize: it folds the bytes of weights to floats.
  /// - canonicalize before fold-batch-norm: the chain after a convolution is recognized by constants that have been
  ///   folded, and by broadcasts in one form.
  /// - polyphase after fold-batch-norm: the chain after a convolution begins behind what interleaves its phases.
  /// - polyphase before layout: convolutions of phases give channels last.
  /// - layout after fold-batch-norm: the chain after a convolution is simplest in the file's layout.
  /// - canonicalize again after layout: it composes the transposes that meet, and folds those of weights.
  /// - split-reductions after layout: what lies together is known by then.
  /// - fold-batch-norm before fusion: what it removes would become epilogues.
  /// - merge-siblings after fold-batch-norm: scales of queries are in their weights by then.
  /// - sink after fusion: what it orders is what is kept in memory, the results of kernels.
  public static let order: [Pass] = [
    resolve,
    expand,
    integerProducts,
    canonicalize,
    foldBatchNorm,
    mergeSiblings,
    polyphase,
    layout,
    canonicalize,
    splitReductions,
    fusion,
    sink,
  ]

  /// The passes for programs of a processor, which has a kernel for Fourier transforms.
  public static func transformingLines(_ passes: [Pass]) -> [Pass] {
    passes.flatMap { $0.name == expand.name ? [fourierTransforms, $0] : [$0] }
  }

  /// The passes for programs that may multiply bf16 in place of f32, and whose processor has instructions for it.
  ///
  /// - bfloat-products after layout: what convolutions multiply in words lies side by side then.
  /// - bfloat-products before canonicalize: it folds the conversions of weights.
  public static func multiplyingBFloats(_ passes: [Pass]) -> [Pass] {
    passes.flatMap { $0.name == layout.name ? [$0, bfloatProducts] : [$0] }
  }

  /// The same without fusion: each op becomes a kernel of its own (`--no-fuse`).
  public static let orderWithoutFusion: [Pass] = order.compactMap { pass in
    pass.name == mergeSiblings.name ? nil : pass.name == fusion.name ? separateKernels : pass
  }

  /// Every pass, once, in the order in which each first runs.
  public static let all: [Pass] = (transformingLines(multiplyingBFloats(order)) + [separateKernels]).reduce(into: []) {
    passes, pass in
    if !passes.contains(where: { $0.name == pass.name }) { passes.append(pass) }
  }
}
