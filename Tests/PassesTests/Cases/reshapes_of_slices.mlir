// pass: canonicalize
func.func @main(%x: tensor<2x7x24xf32>, %y: tensor<24x5xf32>) -> (tensor<2x7x2x4xf32>, tensor<14x2x1x4xf32>, tensor<2x4x5xf32>, tensor<2x7x2x3xf32>, tensor<2x14x4xf32>, tensor<2x5x24xf32>) {
  // The heads 2 and 3 of six.
  %0 = stablehlo.slice %x [0:2, 0:7, 8:16] : (tensor<2x7x24xf32>) -> tensor<2x7x8xf32>
  %1 = stablehlo.reshape %0 : (tensor<2x7x8xf32>) -> tensor<2x7x2x4xf32>
  %2 = stablehlo.reshape %0 : (tensor<2x7x8xf32>) -> tensor<14x2x1x4xf32>
  %3 = stablehlo.slice %y [16:24, 0:5] : (tensor<24x5xf32>) -> tensor<8x5xf32>
  %4 = stablehlo.reshape %3 : (tensor<8x5xf32>) -> tensor<2x4x5xf32>
  // No whole pieces; not split; another dimension.
  %5 = stablehlo.slice %x [0:2, 0:7, 4:10] : (tensor<2x7x24xf32>) -> tensor<2x7x6xf32>
  %6 = stablehlo.reshape %5 : (tensor<2x7x6xf32>) -> tensor<2x7x2x3xf32>
  %7 = stablehlo.reshape %0 : (tensor<2x7x8xf32>) -> tensor<2x14x4xf32>
  %8 = stablehlo.slice %x [0:2, 1:6, 0:24] : (tensor<2x7x24xf32>) -> tensor<2x5x24xf32>
  return %1, %2, %4, %6, %7, %8 : tensor<2x7x2x4xf32>, tensor<14x2x1x4xf32>, tensor<2x4x5xf32>, tensor<2x7x2x3xf32>, tensor<2x14x4xf32>, tensor<2x5x24xf32>
}
// expect:
func.func public @main(%x: tensor<2x7x24xf32>, %y: tensor<24x5xf32>) -> (tensor<2x7x2x4xf32>, tensor<14x2x1x4xf32>, tensor<2x4x5xf32>, tensor<2x7x2x3xf32>, tensor<2x14x4xf32>, tensor<2x5x24xf32>) {
  %0 = stablehlo.slice %x [0:2, 0:7, 8:16] : (tensor<2x7x24xf32>) -> tensor<2x7x8xf32>
  %1 = stablehlo.reshape %x : (tensor<2x7x24xf32>) -> tensor<2x7x6x4xf32>
  %2 = stablehlo.slice %1 [0:2, 0:7, 2:4, 0:4] : (tensor<2x7x6x4xf32>) -> tensor<2x7x2x4xf32>
  %3 = stablehlo.reshape %x : (tensor<2x7x24xf32>) -> tensor<14x6x1x4xf32>
  %4 = stablehlo.slice %3 [0:14, 2:4, 0:1, 0:4] : (tensor<14x6x1x4xf32>) -> tensor<14x2x1x4xf32>
  %5 = stablehlo.reshape %y : (tensor<24x5xf32>) -> tensor<6x4x5xf32>
  %6 = stablehlo.slice %5 [4:6, 0:4, 0:5] : (tensor<6x4x5xf32>) -> tensor<2x4x5xf32>
  %7 = stablehlo.slice %x [0:2, 0:7, 4:10] : (tensor<2x7x24xf32>) -> tensor<2x7x6xf32>
  %8 = stablehlo.reshape %7 : (tensor<2x7x6xf32>) -> tensor<2x7x2x3xf32>
  %9 = stablehlo.reshape %0 : (tensor<2x7x8xf32>) -> tensor<2x14x4xf32>
  %10 = stablehlo.slice %x [0:2, 1:6, 0:24] : (tensor<2x7x24xf32>) -> tensor<2x5x24xf32>
  return %2, %4, %6, %8, %9, %10 : tensor<2x7x2x4xf32>, tensor<14x2x1x4xf32>, tensor<2x4x5xf32>, tensor<2x7x2x3xf32>, tensor<2x14x4xf32>, tensor<2x5x24xf32>
}
