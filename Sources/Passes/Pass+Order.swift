extension Pass {
  /// The passes from an imported function to one whose nodes are kernels, in order.
  public static let order: [Pass] = [
    fusion
  ]

  /// The same without fusion: each op becomes a kernel of its own (`--no-fuse`).
  public static let orderWithoutFusion: [Pass] = order.map { $0.name == fusion.name ? separateKernels : $0 }
}
